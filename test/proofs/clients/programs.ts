// What each client's program needs and how it is built and run; holds no step and no verdict.
import type { Example } from '../verifier-examples.js'

export interface ClientProgram extends Omit<Example, 'language'> {
  /** The library, which is what is named. */
  language: string
  /** Steps for which its library has nothing. */
  lacks?: string[]
}

const NODE = { folder: '.', needs: ['node'], build: [] }

export const PROGRAMS: ClientProgram[] = [
  { ...NODE, language: 'openid-client', run: ['node', 'test/proofs/clients/node/openid-client.js'] },
  { ...NODE, language: 'oauth4webapi', run: ['node', 'test/proofs/clients/node/oauth4webapi.js'] },
]

// What each client's program needs and how it is built and run; holds no step and no verdict.
import type { Example } from '../verifier-examples.js'

export interface ClientProgram extends Omit<Example, 'language'> {
  /** The library, which is what is named. */
  language: string
  /** Steps for which its library has nothing. */
  lacks?: string[]
}

/** As the tests find it; one elsewhere is a path, which counts as being there. */
const CHROMIUM = process.env['TEST_CHROMIUM'] ?? 'chromium'
const NODE = { folder: '.', needs: ['node'], build: [] }

export const PROGRAMS: ClientProgram[] = [
  { ...NODE, language: 'openid-client', run: ['node', 'test/proofs/clients/node/openid-client.js'] },
  { ...NODE, language: 'oauth4webapi', run: ['node', 'test/proofs/clients/node/oauth4webapi.js'] },
  {
    ...NODE,
    language: 'oidc-client-ts',
    needs: [CHROMIUM],
    run: ['node', 'test/proofs/clients/browser/main.js'],
    // It has no secret, and no way to leave out the challenge or to change the verifier; what a client without one may have is asked for by all others.
    lacks: ['loopback', 'secret-post', 'private-key', 'client-credentials', 'introspection', 'no-challenge', 'unknown-scope', 'wrong-verifier', 'wrong-secret', 'wrong-grant'],
  },
  {
    language: 'authlib',
    folder: 'test/proofs/clients/python',
    needs: ['python3'],
    build: [['python3', '-m', 'venv', '.venv'], ['.venv/bin/pip', 'install', '-q', '-r', 'requirements.txt']],
    // Else Authlib speaks to no server over plain HTTP.
    run: ['env', 'AUTHLIB_INSECURE_TRANSPORT=1', '.venv/bin/python', 'main.py'],
  },
  {
    language: 'go-oidc',
    folder: 'test/proofs/clients/go',
    needs: ['go'],
    build: [['go', 'build', '-o', 'bin/', '.']],
    run: ['bin/clients'],
    lacks: ['private-key', 'introspection', 'revocation', 'logout'],
  },
  {
    language: 'nimbus',
    folder: 'test/proofs/clients/java',
    needs: ['javac', 'mvn'],
    build: [['mvn', '-q', 'package']],
    run: ['java', '-jar', 'target/clients.jar'],
  },
]

// Whatever a listener does, nothing comes of it but a warning.
import { inspect } from 'node:util'
import t from 'tap'
import { settle } from '../../src/verifier/listener.js'
import { warning } from './warning.js'

t.test('what a listener throws is a warning, whatever it is', async t => {
  const unseen = { [inspect.custom] () { throw new Error('nor this') } }
  for (const [thrown, said] of [[new Error('full'), /^onRefused failed: Error: full/], ['text', "onRefused failed: 'text'"], [unseen, 'onRefused failed: with what cannot be shown']] as const) {
    const heard = warning('SignetWarning')
    await settle('onRefused', () => { throw thrown })
    t.match((await heard).message, said)
  }
  await settle('onRefused', () => undefined)
})

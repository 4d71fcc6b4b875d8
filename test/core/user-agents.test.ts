// What a person calls a User-Agent, and that nothing of what somebody typed is in it.
import t from 'tap'
import { nameDevice } from '../../src/core/user-agents.js'

t.test('a browser and a system are named as far as they are known', async t => {
  for (const [agent, name] of [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 'Firefox, Linux'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0', 'Edge, Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1', 'Safari, iPhone'],
    ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36', 'Chrome, Android'],
    ['Signet for Windows', 'Windows'], ['see http://evil.example Firefox/1', 'Firefox'], ['curl/8.5', undefined], ['', undefined], [null, undefined], [undefined, undefined],
  ] as const) t.equal(nameDevice(agent), name, String(agent))
})

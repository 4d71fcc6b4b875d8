// What whoever types the address of a Signet without a path is shown.
import t from 'tap'
import { testApp } from '../../test-app.js'

t.test('/ leads to the account page, else to the page of the routes, and else says what this is', async t => {
  const cases: Array<[env: Record<string, string>, status: number, location: string | undefined]> = [
    [{}, 302, './account'], [{ ACCOUNT_PAGE: 'false' }, 302, './docs'], [{ ACCOUNT_PAGE: 'false', DOCS: 'off' }, 200, undefined],
  ]
  for (const [env, status, location] of cases) {
    const { app } = await testApp(t, env)
    const answer = await app.inject('/?utm=x')
    t.strictSame([answer.statusCode, answer.headers.location, answer.headers['cache-control']], [status, location, 'no-cache'])
    if (location) t.equal(new URL(location, 'https://example.com/id/').href, `https://example.com/id${location.slice(1)}`, 'also under a prefix of a proxy')
    else t.strictSame([answer.headers['content-type'], answer.body], ['text/plain; charset=utf-8', 'This is Signet, a token authority. The keys that verify its access tokens are at .well-known/jwks.json.\n'])
    t.equal((await app.inject({ method: 'POST', url: '/' })).statusCode, 405)
  }
})

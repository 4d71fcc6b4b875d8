// Whatever a database would take for an operator is refused at the edge, in every field of every route, and changes nothing.
import t from 'tap'
import { factorRoutes } from '../../src/http/account/factor-routes.js'
import { ROUTES as OWN } from '../../src/http/account/routes.js'
import { freshDatabase, openFor, withMongoDb } from '../store/mongo-server.js'
import { EMAIL, PASSWORD, testApp } from '../test-app.js'

const ROUTES = [...OWN, ...factorRoutes({} as never)]
const OPERATORS = [{ $gt: '' }, { $ne: null }, [{ $gt: '' }], { $where: 'true' }]

withMongoDb(server => {
  t.test('an operator in any member of any body is a 400 and changes nothing', async t => {
    const store = await openFor(t, freshDatabase(t, server))
    const { app, register, login } = await testApp(t, {}, { store })
    await register()
    const tokens = await login()
    const before = await store.listUsers('', 10)
    const good: Record<string, string> = { email: EMAIL, password: PASSWORD, name: 'Ada', refresh_token: tokens.refresh_token, current_password: PASSWORD, new_password: 'another horse, another battery', token: 'a token', ticket: 'a ticket', code: '123456' }
    for (const { method, url, body: schema } of ROUTES) {
      const members = Object.keys((schema?.['properties'] ?? {}) as object)
      for (const member of members) {
        for (const operator of OPERATORS) {
          const payload = { ...Object.fromEntries(members.map(name => [name, good[name]])), [member]: operator }
          const answer = await app.inject({ method, url, payload, headers: { authorization: `Bearer ${tokens.access_token}` } })
          t.match([answer.statusCode, answer.json()], [400, { code: 'invalid_request', errors: [{ field: member }] }], `${url} ${member} ${JSON.stringify(operator)}`)
        }
      }
      if (schema) {
        const answer = await app.inject({ method, url, payload: { $gt: '' }, headers: { authorization: `Bearer ${tokens.access_token}` } })
        t.equal(answer.statusCode, 400, `${url}, whole`)
      }
    }
    t.strictSame(await store.listUsers('', 10), before)
  })

  t.test('an operator in a path, a query or a token is a 4xx and changes nothing', async t => {
    const store = await openFor(t, freshDatabase(t, server))
    const { app, call, register, login } = await testApp(t, {}, { store })
    await register()
    const { access_token: token } = await login()
    const before = await store.listUsers('', 10)
    for (const path of ['/tokens/%7B%22$gt%22:%22%22%7D', '/tokens/$gt', '/tokens/[$gt]=', '/tokens/?id[$gt]=', '/tokens/x?id[$ne]=']) {
      t.equal((await call('DELETE', path, token)).statusCode, 404, path)
    }
    for (const { method, url, guard, body } of ROUTES) {
      if (guard === 'open') continue
      const payload = body && (url === '/user-info' ? { name: 'Ada' } : url === '/account' ? { password: PASSWORD } : url.endsWith('/confirm') ? { ticket: 'a ticket', code: '123456' } : url.startsWith('/second-factors') ? {} : { current_password: PASSWORD, new_password: 'another horse, another battery' })
      const answer = await app.inject({ method, url: url.replace(':id', 'x'), headers: { authorization: 'Bearer {"$gt":""}' }, ...(payload && { payload }) })
      t.equal(answer.statusCode, 401, url)
    }
    t.strictSame(await store.listUsers('', 10), before)
  })
})

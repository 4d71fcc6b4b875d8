// The documents: OpenAPI equals the routes, and the page that tries them is fenced in.
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { ERRORS } from '../../src/errors.js'
import { ROUTES } from '../../src/http/routes.js'
import { testApp } from '../test-app.js'

interface Operation {
  operationId: string, tags: string[], summary: string, description: string
  responses: Record<string, object>, security?: object[], requestBody?: { required: boolean }, parameters?: object[]
}
interface OpenApi {
  openapi: string, info: object, servers: object[], tags: Array<{ name: string, description: string }>, paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { properties: Record<string, Record<string, unknown>> }> }
}

t.test('OpenAPI 3.1 has exactly the routes, their guards and their answers', async t => {
  const { app } = await testApp(t)
  const document = (await app.inject('/docs/json')).json<OpenApi>()
  t.match(document.openapi, /^3\.1\./)
  const described = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
  const routes = [...ROUTES.map(({ method, url }) => `${method} ${url.replace(':id', '{id}')}`), 'GET /.well-known/jwks.json', 'GET /health/live', 'GET /health/ready']
  t.strictSame(new Set(described), new Set(routes))
  for (const route of ROUTES) {
    const { responses, security, requestBody } = document.paths[route.url.replace(':id', '{id}')]![route.method.toLowerCase()]!
    t.ok(responses[route.status], route.url)
    t.strictSame(security, { '/refresh': [{}, { cookie: [] }] }[route.url] ?? (route.guard === 'bearer' ? [{ bearer: [] }] : []), route.url)
    t.equal(requestBody?.required, route.body && route.url !== '/refresh', route.url)
    t.ok(responses[400] && responses[429] && responses[503], route.url)
  }
  t.ok(['UserDTO', 'AuthTokenDTO', 'RegistrationDTO', 'ProblemDTO'].every(name => name in document.components.schemas))
})

t.test('the document says at which address it holds, and names and describes every operation', async t => {
  const { app } = await testApp(t, { ISSUER: 'https://id.example/' })
  const { info, servers, tags, paths } = (await app.inject('/docs/json')).json<OpenApi>()
  t.match(info, { license: { identifier: 'MIT' }, contact: { url: 'https://id.example' } })
  t.strictSame(servers, [{ url: 'https://id.example' }])
  const operations = Object.values(paths).flatMap(path => Object.values(path))
  t.equal(new Set(operations.map(({ operationId }) => operationId)).size, 13)
  for (const { operationId, summary, description } of operations) t.ok(/^[a-z]+[A-Za-z]*$/.test(operationId) && summary && description.endsWith('.'), operationId)
  t.strictSame(new Set(operations.flatMap(({ tags }) => tags)), new Set(tags.map(({ name }) => name)))
  for (const [path, status] of [['/.well-known/jwks.json', '304'], ['/health/ready', '503'], ['/health/live', '400']] as const) t.match(paths[path]!['get'], { security: [], responses: { [status]: {}, 400: {} } })
})

t.test('the document also says what rules refuse, and the routes go on refusing it under the codes of the rules', async t => {
  const { app, post, login, register } = await testApp(t, { PASSWORD_MIN_LENGTH: '12' })
  const { paths, components: { schemas } } = (await app.inject('/docs/json')).json<OpenApi>()
  t.strictSame(paths['/tokens/{id}']!['delete']!.parameters, [{ in: 'path', name: 'id', required: true, schema: { type: 'string', format: 'uuid', description: 'as /tokens lists it' } }])
  t.equal(paths['/refresh']!['post']!.requestBody!.required, false)
  t.match(schemas, {
    RegistrationDTO: { properties: { email: { format: 'idn-email' }, password: { minLength: 12 }, name: { minLength: 1 } } },
    AuthenticationRequest: { properties: { email: { format: 'idn-email' } } },
    ChangePasswordRequest: { properties: { new_password: { minLength: 12 } } },
    ChangeUserRequest: { properties: { name: { minLength: 1, maxLength: 100 } } },
    ProblemDTO: { properties: { code: { enum: Object.keys(ERRORS) } } },
  })
  t.equal(schemas['AuthenticationRequest']!.properties['password']!['minLength'], undefined, 'a password may be older than the rule')
  const name = new RegExp(String(schemas['RegistrationDTO']!.properties['name']!['pattern']), 'u')
  for (const good of ['Ada', 'Ada Lovelace', '李', 'می\u200cخواهم', '👩\u200d💻']) t.match(good, name)
  for (const bad of ['', ' ', '\u200b', '\u202eAda', 'A\nda']) t.notMatch(bad, name)
  await register()
  const { access_token: token } = await login()
  t.equal((await app.inject({ method: 'DELETE', url: '/tokens/x', headers: { authorization: `Bearer ${token}` } })).statusCode, 404)
  t.match((await post('/register', { email: 'x@example.com', password: 'too short' })).json(), { code: 'weak_password' })
})

t.test('the page runs no foreign and no inline script and cannot be framed', async t => {
  const { app } = await testApp(t)
  const page = await app.inject('/docs')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-security-policy'], /^default-src 'self';[^]*frame-ancestors 'none'/)
  t.notMatch(String(page.headers['content-security-policy']), /unsafe|https?:|upgrade/)
  t.equal(page.headers['x-frame-options'], 'DENY')
  t.equal(page.headers['referrer-policy'], 'no-referrer')
  t.equal(page.headers['x-content-type-options'], 'nosniff')
  t.match(page.body, /use-token\.js/)
})

t.test('the files of the page come from memory, whatever name they are asked by', async t => {
  const { app } = await testApp(t)
  const bundle = await app.inject('/docs/static/swagger-ui-bundle.js')
  t.match(bundle.headers, { 'content-type': 'text/javascript; charset=utf-8', 'content-length': String(bundle.rawPayload.length), 'cache-control': 'no-cache', etag: /^"[\w-]{43}"$/ })
  t.ok(bundle.rawPayload.equals(readFileSync('node_modules/@fastify/swagger-ui/static/swagger-ui-bundle.js')))
  const { etag } = bundle.headers
  for (const tags of [String(etag), `"other", W/${etag}`, '*']) {
    const again = await app.inject({ url: '/docs/static/swagger-ui-bundle.js', headers: { 'if-none-match': tags } })
    t.strictSame([again.statusCode, again.headers.etag, again.body], [304, etag, ''], tags)
  }
  t.equal((await app.inject({ url: '/docs/static/swagger-ui-bundle.js', headers: { 'if-none-match': '"other"' } })).statusCode, 200)
  t.equal((await app.inject({ method: 'HEAD', url: '/docs/static/swagger-ui-bundle.js' })).headers['content-length'], bundle.headers['content-length'])
  t.equal((await app.inject('/docs/static/favicon-32x32.png')).headers['content-type'], 'image/png')
  for (const name of ['nothing.js', '/swagger-ui.css', '..%2fpackage.json', '../package.json', 'csp.json', '']) t.equal((await app.inject(`/docs/static/${name}`)).statusCode, 404, name)
})

t.test('after a log-in the page goes on with the token that it got', async t => {
  const { app } = await testApp(t)
  const script = (await app.inject('/docs/static/theme/use-token.js')).body
  const used: unknown[] = []
  const SwaggerUIBundle = Object.assign((config: object) => ({ config, preauthorizeApiKey: (...token: string[]) => { used.push(token) } }), { presets: ['kept'] })
  const window = { SwaggerUIBundle, location: { href: 'http://localhost:3000/docs' } }
  runInNewContext(script, { window, URL })
  t.strictSame(window.SwaggerUIBundle.presets, ['kept'])
  const { config } = window.SwaggerUIBundle({ url: './json' }) as unknown as { config: { url: string, requestInterceptor: (request: object) => object, responseInterceptor: (response: object) => object } }
  t.equal(config.url, './json')
  for (const [url, asked] of [['https://id.example/login?x=1', '/login?x=1'], ['./docs/json', '/docs/json']]) t.strictSame(config.requestInterceptor({ url, method: 'GET' }), { url: asked, method: 'GET' }, 'the server that the page came from is asked')
  for (const response of [{ obj: { access_token: 'token' } }, { obj: { status: 'ok' } }, {}]) t.equal(config.responseInterceptor(response), response)
  t.strictSame(used, [['bearer', 'token']])
})

t.test('DOCS=off, and a production that does not ask for it, leave nothing at /docs', async t => {
  const production = { NODE_ENV: 'production', ISSUER: 'https://id.example' }
  for (const [env, status] of [[{ DOCS: 'off' }, 404], [production, 404], [{ ...production, DOCS: 'on' }, 200]] as const) {
    const { app } = await testApp(t, env)
    for (const url of ['/docs', '/docs/json']) t.equal((await app.inject(url)).statusCode, status, `${url} ${JSON.stringify(env)}`)
  }
})

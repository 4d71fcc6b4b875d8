// The documents: OpenAPI equals the routes, and the page that tries them is fenced in.
import t from 'tap'
import { ERRORS } from '../../../src/errors.js'
import { factorRoutes } from '../../../src/http/account/factor-routes.js'
import { passkeyRoutes } from '../../../src/http/account/passkey-routes.js'
import { ROUTES as OWN } from '../../../src/http/account/routes.js'
import { TAGS } from '../../../src/http/edge/route.js'
import { testApp } from '../../test-app.js'

interface Operation {
  operationId: string, tags: string[], summary: string, description: string
  responses: Record<string, Answer>, security?: object[], requestBody?: { required: boolean, content?: { 'application/json': { example?: unknown } } }, parameters?: object[]
}
interface Answer { description: string, content?: Record<string, { example?: unknown, examples?: Record<string, object> }> }
interface OpenApi {
  openapi: string, info: object, servers: object[], tags: Array<{ name: string, description: string }>, paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { properties: Record<string, Record<string, unknown>> }> }
}

const ROUTES = [...OWN, ...factorRoutes({} as never), ...passkeyRoutes({} as never)]
const successOf = ({ responses }: Operation) => Object.entries(responses).find(([status]) => status.startsWith('2'))![1].content?.['application/json'] ?? {}

t.test('OpenAPI 3.1 has exactly the routes, their guards and their answers', async t => {
  const { app } = await testApp(t)
  const document = (await app.inject('/docs/json')).json<OpenApi>()
  t.match(document.openapi, /^3\.1\./)
  const described = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
  const routes = [...ROUTES.map(({ method, url }) => `${method} ${url.replace(':id', '{id}')}`), 'GET /.well-known/jwks.json', 'GET /health/live', 'GET /health/ready', 'GET /status-lists', 'GET /status-lists/{list}', 'GET /.well-known/oauth-authorization-server', 'GET /.well-known/openid-configuration', 'POST /token', 'POST /revoke', 'POST /introspect', 'GET /userinfo', 'POST /userinfo']
  t.strictSame(new Set(described), new Set(routes))
  for (const route of ROUTES) {
    const { responses, security, requestBody } = document.paths[route.url.replace(':id', '{id}')]![route.method.toLowerCase()]!
    t.ok(responses[route.status], route.url)
    t.strictSame(security, { '/refresh': [{}, { cookie: [] }] }[route.url] ?? (route.guard === 'open' ? [] : [{ bearer: [] }]), route.url)
    t.equal(requestBody?.required, route.body && !route.isBodyOptional, route.url)
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
  t.equal(new Set(operations.map(({ operationId }) => operationId)).size, 37)
  for (const { operationId, summary, description } of operations) t.ok(/^[a-z]+[A-Za-z]*$/.test(operationId) && summary && description.endsWith('.'), operationId)
  t.strictSame(new Set(operations.flatMap(({ tags }) => tags)), new Set(tags.map(({ name }) => name)))
  for (const [path, status] of [['/.well-known/jwks.json', '304'], ['/health/ready', '503'], ['/health/live', '400']] as const) t.match(paths[path]!['get'], { security: [], responses: { [status]: {}, 400: {} } })
})

t.test('the document also says what rules refuse, and the routes go on refusing it under the codes of the rules', async t => {
  const { app, post, login, register } = await testApp(t, { PASSWORD_MIN_LENGTH: '12' })
  const { paths, components: { schemas } } = (await app.inject('/docs/json')).json<OpenApi>()
  t.strictSame(paths['/tokens/{id}']!['delete']!.parameters, [{ in: 'path', name: 'id', required: true, schema: { type: 'string', format: 'uuid', description: 'as /tokens lists it' } }])
  t.strictSame(paths['/second-factors/passkeys/{id}']!['patch']!.parameters, [{ in: 'path', name: 'id', required: true, schema: { type: 'string', maxLength: 1_364, pattern: '^[\\w-]+$', description: 'as /second-factors lists it' } }])
  t.equal(paths['/refresh']!['post']!.requestBody!.required, false)
  t.match(schemas, {
    RegistrationDTO: { properties: { email: { format: 'idn-email' }, password: { minLength: 12 }, name: { minLength: 1 } } },
    AuthenticationRequest: { properties: { email: { format: 'idn-email' } } },
    ChangePasswordRequest: { properties: { new_password: { minLength: 8 } } },
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

t.test('what the document gives as an example can be sent as it is, and is answered as it says', async t => {
  const { app } = await testApp(t, { PASSWORD_MIN_LENGTH: '12' })
  const { paths } = (await app.inject('/docs/json')).json<OpenApi>()
  const exampleOf = (method: string, path: string) => paths[path]![method]!.requestBody!.content!['application/json'].example
  t.strictSame(exampleOf('post', '/register'), { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada Lovelace' })
  t.strictSame(exampleOf('post', '/login'), { email: 'ada@example.com', password: 'correct horse battery' }, 'and no cookie is asked for unasked')
  let authorization: string | undefined
  for (const [method, path, status] of [['post', '/register', 201], ['post', '/login', 200], ['patch', '/user-info', 200], ['post', '/change-password', 200]] as const) {
    const answer = await app.inject({ method, url: path, payload: exampleOf(method, path) as object, ...(authorization && { headers: { authorization } }) })
    t.equal(answer.statusCode, status, path)
    t.strictSame(Object.keys(answer.json<object>()).sort(), Object.keys(successOf(paths[path]![method]!).example as object).sort(), path)
    if (path === '/login') authorization = `Bearer ${answer.json<{ access_token: string }>().access_token}`
  }
  const listed = successOf(paths['/tokens']!['get']!).example as { tokens: object[] }
  t.strictSame(Object.keys(listed.tokens[0]!), ['id', 'current', 'created_at', 'last_used_at', 'expires_at', 'user_agent', 'ip', 'client'])
  t.notMatch(JSON.stringify(Object.values(paths).flatMap(path => Object.values(path)).map(operation => [operation.requestBody?.content, successOf(operation)])), /"example":(null|""|"string")/)
})

t.test('each code of an answer has its problem document, and the items of lists have names', async t => {
  const { app } = await testApp(t)
  const { paths, components: { schemas } } = (await app.inject('/docs/json')).json<OpenApi>()
  const { description, content } = paths['/register']!['post']!.responses['400']!
  const examples = content!['application/problem+json']!.examples!
  t.strictSame(Object.keys(examples), description.split(', '))
  t.match(examples['weak_password'], { value: { type: 'about:blank', title: 'Bad Request', status: 400, detail: ERRORS.weak_password[1], code: 'weak_password' } })
  t.match(schemas, {
    TokenListDTO: { properties: { tokens: { items: { $ref: '#/components/schemas/DeviceDTO' } } } },
    JwksDTO: { properties: { keys: { items: { $ref: '#/components/schemas/JwkDTO' } } } },
    ProblemDTO: { properties: { errors: { items: { $ref: '#/components/schemas/FieldErrorDTO' } } } },
  })
})

t.test('the page has every route in its group, and loads nothing but what is served beside it', async t => {
  const { app } = await testApp(t)
  const page = await app.inject('/docs')
  t.strictSame([page.statusCode, page.headers['content-type']], [200, 'text/html; charset=utf-8'])
  t.notMatch(page.body, /<style|<script(?! type="module" src)|\sstyle=|\son\w+=|(?:href|src)="https?:/)
  t.match(page.body, '<meta name="viewport"')
  const loaded = [...page.body.matchAll(/(?:href|src)="(docs\/[^"]+)"/g)].map(([, path]) => `/${path}`)
  t.strictSame(new Set(loaded), new Set(['mark.svg', 'account.css', 'docs.css', 'docs.js', 'json'].map(name => `/docs/${name}`)))
  for (const url of ['/docs', ...loaded]) {
    const answer = await app.inject(url)
    t.equal(answer.statusCode, 200, url)
    t.match(answer.headers, { 'content-security-policy': /^default-src 'none'; script-src 'self';/, 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' }, url)
    t.equal((await app.inject({ url, headers: { 'if-none-match': String(answer.headers.etag) } })).statusCode, 304, url)
  }
  const sections = [...page.body.matchAll(/<section class="card" id="(\w+)"[^]*?<\/section>/g)]
  t.strictSame(sections.map(([, name]) => name), Object.keys(TAGS))
  for (const { tag, operationId } of ROUTES) t.match(sections.find(([, name]) => name === tag)![0], `<details class="operation" id="${operationId}">`)
  t.strictSame((await app.inject('/docs/')).headers.location, '../docs')
})

t.test('what a setting says is text on the page', async t => {
  const { app } = await testApp(t, { ISSUER: 'https://id.example/a&b\'"<i>' })
  t.match((await app.inject('/docs')).body, /<code>https:\/\/id\.example\/a&#38;b/)
  t.notMatch((await app.inject('/docs')).body, '<i>')
})

t.test('braces in the address are no variable of the document', async t => {
  const { app } = await testApp(t, { ISSUER: 'https://id.example/{a}/{{b}}' })
  for (const url of ['/docs', '/docs/json']) t.match(await app.inject(url), { statusCode: 200, body: /https:\/\/id\.example\/%7Ba%7D\/%7B%7Bb%7D%7D/ }, url)
})

t.test('DOCS=off, and a production that does not ask for it, leave nothing at /docs', async t => {
  const production = { NODE_ENV: 'production', ISSUER: 'https://id.example' }
  for (const [env, status] of [[{ DOCS: 'off' }, 404], [production, 404], [{ ...production, DOCS: 'on' }, 200]] as const) {
    const { app } = await testApp(t, env)
    for (const url of ['/docs', '/docs/json', '/docs/docs.js']) t.equal((await app.inject(url)).statusCode, status, `${url} ${JSON.stringify(env)}`)
  }
})

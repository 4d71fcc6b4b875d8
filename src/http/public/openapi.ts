// The OpenAPI document, and the examples in it; holds no schema and no route of the authority's own.
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import { AuthError, type ErrorCode } from '../../errors.js'
import type { ProblemDTO } from '../edge/problem-dto.js'
import { toProblem } from '../edge/problems.js'
import { addressBelow } from '../edge/issuer.js'
import { COOKIE_NAME } from '../edge/refresh-cookie.js'
import { TAGS } from '../edge/route.js'

const FORM = 'application/x-www-form-urlencoded'
const REQUEST_ID = '0f8b3b6e-7c0f-4a55-9a53-6d1c2f9e4b70'
const EMAIL = { format: 'idn-email' }
/** It begins with what can be seen, and holds nothing that ends the line or bends the text around it. Letters and digits are named twice, for tools that know no \p. */
const NAME = { minLength: 1, pattern: '^[A-Za-z0-9\\p{L}\\p{N}\\p{P}\\p{S}\\p{Co}][^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$' }

/** What stands in the address of a route, and behind it: by its name, or by the path where it means something else there. */
const PARAMETERS: Record<string, object> = {
  before: { description: 'the id of an event: those before it; left out, the newest' },
  id: { format: 'uuid', description: 'as /tokens lists it' },
  '/second-factors/passkeys/{id}': { maxLength: 1_364, pattern: '^[\\w-]+$', description: 'as /second-factors lists it' },
  list: { pattern: '^(?:0|[1-9][0-9]{0,8})$', description: 'the number of a list, as /status-lists names it' },
}

/** Of some routes the body may be left out. */
export interface DocumentParts { version: string, issuer: string, passwordMinLength: number, bodyOptional: Array<{ method: string, url: string }> }

export interface Schema {
  $ref?: string, type?: string | string[], description?: string, enum?: unknown[], examples?: unknown[], minLength?: number, maxLength?: number
  required?: string[], properties?: Record<string, Schema>, items?: Schema
}
interface Content { schema: Schema, example?: unknown, examples?: Record<string, { value: ProblemDTO }> }
export interface Operation {
  operationId: string, tags: string[], summary: string, description: string, security?: object[], parameters?: Array<{ name: string, in: 'path' | 'query', schema: Schema }>
  requestBody?: { required: boolean, content: Record<string, Content> }
  responses: Record<string, { description: string, content?: Record<string, Content> }>
}
/** What the page reads of the document. */
export interface Document {
  info: { version: string }, servers: Array<{ url: string }>, tags: Array<{ name: string, description: string }>
  paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, Schema> }
}

/** Collects the routes that are registered after it. The OpenAPI 3.1 document of them is written when it is first asked for. */
export function addOpenApi (app: FastifyInstance, parts: DocumentParts): () => Promise<Document> {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', route => { routes.push(route) })
  let document: Promise<Document> | undefined
  return async () => await (document ??= write(routes, Object.values(app.getSchemas()), parts))
}

// By an application that serves nobody, so that what reads routes is loaded by who asks for it.
async function write (routes: RouteOptions[], schemas: unknown[], parts: DocumentParts): Promise<Document> {
  const { default: swagger } = await import('@fastify/swagger')
  const paper = Fastify({ exposeHeadRoutes: false })
  // Else it would compile all that real routes check and write with, and keep everybody waiting meanwhile.
  paper.setValidatorCompiler(() => Boolean).setSerializerCompiler(() => String)
  for (const schema of schemas) paper.addSchema(schema)
  // Without a slash at its end, for paths begin with one; and with braces as a URL has them, for others would name a variable of the document.
  const url = addressBelow(parts.issuer, '').replace(/[{}]/g, encodeURIComponent)
  await paper.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Signet', version: parts.version, description: 'A standalone token authority.', contact: { name: 'Whoever runs this Signet', url }, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'an access token (RFC 9068)' },
          cookie: { type: 'apiKey', in: 'cookie', name: COOKIE_NAME, description: 'the refresh token of a browser; only with an Origin that may' },
        },
      },
    },
    transform: ({ schema, url, route: { config } }) => ({ schema: { ...schema, ...(config?.form && { body: config.form, consumes: [FORM] }), response: config?.answers }, url }),
    refResolver: { buildLocalReference: json => String(json['$id']) },
  })
  for (const { method, url, schema, config, handler } of routes) if (method !== 'HEAD') paper.route({ method, url, ...(schema && { schema }), ...(config && { config }), handler })
  await paper.ready()
  const document = paper.swagger() as unknown as Document
  complete(document, parts)
  return document
}

/** Adds what the document can say and the validator must not: what is refused by a rule, under a code and with a sentence of its own. */
function complete (document: Document, { passwordMinLength, bodyOptional }: DocumentParts): void {
  const { paths, components: { schemas } } = document
  // The plugin takes every body for one that must be there.
  for (const { method, url } of bodyOptional) paths[url.replace(/:(\w+)/g, '{$1}')]![method.toLowerCase()]!.requestBody!.required = false
  const operations = Object.values(paths).flatMap(path => Object.values(path))
  for (const [path, methods] of Object.entries(paths)) {
    for (const { name, schema } of Object.values(methods).flatMap(({ parameters = [] }) => parameters)) Object.assign(schema, PARAMETERS[path] ?? PARAMETERS[name])
  }
  // What holds of everybody: the setting does not where there is a second factor.
  const told: Record<string, object> = { email: EMAIL, new_password: { minLength: 8 } }
  for (const { properties } of Object.values(schemas)) {
    for (const [name, limits] of Object.entries(told)) Object.assign(properties?.[name] ?? {}, limits)
  }
  const { RegistrationDTO, ChangeUserRequest } = schemas
  Object.assign(RegistrationDTO!.properties!['password']!, { minLength: passwordMinLength })
  for (const { properties } of [RegistrationDTO!, ChangeUserRequest!]) Object.assign(properties!['name']!, NAME)
  for (const operation of operations) addExamples(operation, document)
}

/** Adds to each body what can be sent as it is, to each success what it looks like, and to each failure the problem document of each of its codes. */
function addExamples ({ requestBody, responses }: Operation, document: Document): void {
  const contents = [requestBody, ...Object.values(responses)].flatMap(part => ['application/json', FORM].map(type => part?.content?.[type])).filter(content => content !== undefined)
  for (const content of contents) content.example = exampleOf(content.schema, document)
  for (const { description, content } of Object.values(responses)) {
    const problem = content?.['application/problem+json']
    if (problem) problem.examples = Object.fromEntries((description.split(', ') as ErrorCode[]).map(code => [code, { value: toProblem(new AuthError(code), REQUEST_ID) }]))
  }
}

/** The schema that a reference leads to. */
export function schemaOf ({ $ref }: Schema, document: Document): Schema {
  return document.components.schemas[$ref!.split('/').at(-1)!]!
}

/** What a value of a schema looks like, by the first example of each member; one that need not be there and has none is left out. */
function exampleOf (schema: Schema, document: Document): unknown {
  const { $ref, examples, items, properties, required } = schema
  if ($ref) return exampleOf(schemaOf(schema, document), document)
  if (items) return [exampleOf(items, document)]
  if (!properties) return examples ? examples[0] : schema.enum?.[0]
  return Object.fromEntries(Object.entries(properties).filter(([name, member]) => (required ?? []).includes(name) || member.examples).map(([name, member]) => [name, exampleOf(member, document)]))
}

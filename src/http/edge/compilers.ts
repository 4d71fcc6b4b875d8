// When what the routes' schemas say becomes code: as it is first needed, for to compile them all was a tenth of a start; holds no schema.
import checkCompilers, { type BuildCompilerFromPool } from '@fastify/ajv-compiler'
import writerCompilers, { type SerializerFactory } from '@fastify/fast-json-stringify-compiler'

// Those that Fastify takes by itself, of which one serves all applications of a process.
const [checkers, writers] = [checkCompilers(), writerCompilers()]

function buildChecker (...parts: Parameters<BuildCompilerFromPool>) {
  const compile = checkers(...parts)
  return (route: Parameters<typeof compile>[0]) => {
    let check: ReturnType<typeof compile> | undefined
    return (data: unknown) => {
      check ??= compile(route)
      return check(data) || { error: check.errors }
    }
  }
}

function buildWriter (...parts: Parameters<SerializerFactory>): ReturnType<SerializerFactory> {
  const compile = writers(...parts)
  return route => {
    let write: ReturnType<typeof compile> | undefined
    return data => {
      write ??= compile(route)
      return write(data)
    }
  }
}

/** Of Fastify's option `schemaController`, whose type takes a check for one of Ajv's, which it need not be. */
export const compilersFactory = { buildValidator: buildChecker as unknown as BuildCompilerFromPool, buildSerializer: buildWriter }

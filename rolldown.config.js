// The server, and each command, as one program, made of what was compiled and of the packages that each start needs, for a hundred files take longer to find than to run; holds what is left out of them, and how long what is no longer part of them stays.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** env-schema makes, as it is loaded, an Ajv that compiles the schema of all schemas, to check its own by; that is a twentieth of a start. */
const withoutMeta = {
  name: 'without-meta-schema',
  transform: {
    filter: { id: /\/env-schema\/index\.js$/ },
    handler: (/** @type {string} */ code) => code.replace('addUsedSchema: false,', '$& meta: false, validateSchema: false,'),
  },
}

const FOLDER = 'signet'
/** What the last build made. */
const MADE = '.made'
/** A server loads some files when it first needs them: what this build did not make stays for one that runs of the build before, until the next. */
const withoutOlder = {
  name: 'without-older-files',
  writeBundle (/** @type {unknown} */ _options, /** @type {object} */ bundle) {
    const made = Object.keys(bundle)
    const madeBefore = existsSync(MADE) ? readFileSync(MADE, 'utf8').split('\n') : readdirSync(FOLDER)
    for (const name of readdirSync(FOLDER)) if (![...made, ...madeBefore].includes(name)) rmSync(join(FOLDER, name))
    writeFileSync(MADE, made.join('\n'))
  },
}

/** What commands share, and what works on the sources. */
const NO_COMMAND = /^((.*-)?command|operator-events|verifier-caches|build|source-files)\.js$/
const commands = existsSync('scripts') ? readdirSync('scripts').filter(name => name.endsWith('.js') && !NO_COMMAND.test(name)).sort() : []

export default {
  input: ['src/server.js', ...commands.map(name => `scripts/${name}`)],
  platform: 'node',
  // Loaded when first needed, if at all, and each with files of its own beside it.
  external: ['@fastify/swagger', '@opentelemetry/api', 'bcrypt', 'libsql', 'mongoose', 'piscina'],
  output: { dir: FOLDER, format: 'esm', chunkFileNames: '[name].js' },
  plugins: [withoutMeta, withoutOlder],
  logLevel: 'warn',
}

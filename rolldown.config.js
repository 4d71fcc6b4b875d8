// The server as one program, made of what was compiled and of the packages that each start needs, for a hundred files take longer to find than to run; holds what is left out of it.

/** env-schema makes, as it is loaded, an Ajv that compiles the schema of all schemas, to check its own by; that is a twentieth of a start. */
const withoutMeta = {
  name: 'without-meta-schema',
  transform: {
    filter: { id: /\/env-schema\/index\.js$/ },
    handler: (/** @type {string} */ code) => code.replace('addUsedSchema: false,', '$& meta: false, validateSchema: false,'),
  },
}

export default {
  input: 'src/server.js',
  platform: 'node',
  // Loaded when first needed, if at all, and each with files of its own beside it.
  external: ['@fastify/swagger', '@opentelemetry/api', 'bcrypt', 'libsql', 'mongoose', 'piscina'],
  output: { dir: 'signet', format: 'esm', chunkFileNames: '[name].js' },
  plugins: [withoutMeta],
  logLevel: 'warn',
}

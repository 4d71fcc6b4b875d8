// The server as one program, made of what was compiled and of the packages that each start needs, for a hundred files take longer to find than to run; holds what is left out of it.
export default {
  input: 'src/server.js',
  platform: 'node',
  // Loaded when first needed, if at all, and each with files of its own beside it.
  external: ['@fastify/swagger', 'bcrypt', 'libsql', 'mongoose', 'piscina'],
  output: { dir: 'signet', format: 'esm', chunkFileNames: '[name].js' },
  logLevel: 'warn',
}

// The tests of what needs no server, in one process.
import { runTogether } from './together.js'

runTogether('core', 'services', 'hashing', 'mail', 'metrics', 'compose.test.ts', 'config.test.ts', 'deploy.test.ts', 'documents.test.ts', 'env-file.test.ts', 'events-document.test.ts', 'faults.test.ts', 'folders.test.ts', 'layers.test.ts', 'schema.test.ts', 'security-document.test.ts', 'tracing.test.ts')

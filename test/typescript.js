// Lets Node run the sources and the tests as they are written; checks no type, which is `npm run typecheck`.
import module from 'node:module'
import { load, resolve } from './typescript-hooks.js'

// Node 20 has the older way alone, and later versions warn of it.
if ('registerHooks' in module) /** @type {(hooks: object) => void} */ (module.registerHooks)({ load, resolve })
else module.register('./typescript-hooks.js', import.meta.url)

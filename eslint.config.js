// The style of the house: neostandard, with types; holds no exception for a single file.
import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['**/dist/', '**/.venv/', '.tap/', 'node_modules/'] }),
  // A row of a table reads best as a row; `void` marks a promise that is left to itself on purpose.
  // A schema and the type it stands for share a name; the compiler sees real collisions.
  { rules: { '@typescript-eslint/no-redeclare': 'off', '@stylistic/object-property-newline': 'off', 'no-void': ['error', { allowAsStatement: true }] } },
]

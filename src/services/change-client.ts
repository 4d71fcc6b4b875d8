// A change of a client as it stands, whoever else changes it at the same time; holds no rule of what a change is.
import type { Client } from '../core/client.js'
import type { Changed } from '../core/client-changes.js'
import type { Store } from '../store/store.js'

/** So many changes may come first, one after the other. */
const MOST_ATTEMPTS = 200

/** What is decided of a client: how it is to be kept, or why it is left as it is. */
export type Decision = Changed | { refused: string }

/**
 * Keeps what `decide` makes of the client of this id, and decides anew where another change came first. `unknown_client`: there is none, or none any more.
 * `contended`: others changed it again and again. Rejects with `unavailable`.
 */
export async function changeClient<Made extends Decision> (store: Pick<Store, 'findClient' | 'replaceClient'>, id: string, decide: (client: Client) => Made): Promise<Made | { refused: 'unknown_client' | 'contended' }> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const client = await store.findClient(id)
    if (!client) return { refused: 'unknown_client' }
    const decision = decide(client)
    if ('refused' in decision || await store.replaceClient(decision.client, client.version)) return decision
  }
  return { refused: 'contended' }
}

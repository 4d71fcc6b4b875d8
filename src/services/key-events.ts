// The steps of keys as events: what a ring's history tells is the same event on every node that reads it; holds no ring and no clock.
import { createHash } from 'node:crypto'
import { eventId, toKept, type EventKind, type KeptEvent } from '../core/events.js'
import type { HistoryEntry } from '../keyring/ring-files.js'

/** The events of a history, in its order; what dates a state anew is none. */
export function keyEvents (history: HistoryEntry[]): KeptEvent[] {
  return history.flatMap((entry, index) => {
    const kind = kindOf(entry)
    return kind ? [toKept({ kind, at: Date.parse(entry.at), by: authorOf(entry), details: { key: entry.id, key_kind: entry.kind } }, idOf(entry, index))] : []
  })
}

function kindOf ({ from, to }: HistoryEntry): EventKind | undefined {
  if (from === to) return undefined
  if (to === null) return 'keys.removed'
  return ({ next: 'keys.made', active: 'keys.activated', retired: 'keys.retired', revoked: 'keys.revoked' } as const)[to]
}

function authorOf ({ by, who }: HistoryEntry): string {
  return who === undefined ? by : `${who}, ${by}`
}

// Of what is said and where it stands, so that of many nodes and starts one keeps it.
function idOf (entry: HistoryEntry, index: number): string {
  return eventId(Date.parse(entry.at), index, createHash('sha256').update(JSON.stringify(entry)).digest().subarray(0, 8))
}

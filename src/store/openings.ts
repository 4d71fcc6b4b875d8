// Why a family was not opened, for adapters whose write says no more than that it was not; holds no adapter's detail.
import { MAX_CLOSINGS, type ClosingTime } from '../core/closings.js'
import type { User } from './store.js'

/** `user` as it stands after the write that changed nothing; `verifiedHash` and `closing` are that write's. */
export function whyNotOpened (user: User | undefined, verifiedHash: string, { countsAfter }: ClosingTime): 'full' | 'stale' | 'crowded' {
  if (user?.passwordHash !== verifiedHash) return 'stale'
  return (user.closed ?? []).filter(({ at }) => at > countsAfter).length >= MAX_CLOSINGS ? 'crowded' : 'full'
}

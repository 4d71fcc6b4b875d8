// Why a family was not opened, for adapters whose write says no more than that it was not; holds no adapter's detail.
import { isCrowded, type ClosingTime } from '../core/closings.js'
import type { User } from './store.js'

/** `user` as it stands after the write that changed nothing; `verifiedHash` and `closing` are that write's. */
export function whyNotOpened (user: User | undefined, verifiedHash: string, closing: ClosingTime): 'full' | 'stale' | 'crowded' {
  if (user?.passwordHash !== verifiedHash) return 'stale'
  return isCrowded(user.closed, closing) ? 'crowded' : 'full'
}

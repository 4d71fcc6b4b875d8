// Why a family was not opened, for adapters whose write says no more than that it was not; holds no adapter's detail.
import { isDeepStrictEqual } from 'node:util'
import { isCrowded, maxClosingsFor } from '../core/closings.js'
import { versionOf } from '../core/factors.js'
import type { OpenFamily, Opening, User } from './store.js'

/** `user` as it stands after the write that changed nothing. */
export function whyNotOpened (user: User | undefined, { verifiedHash, roles, verifiedFactors = 0, family, session, closing }: OpenFamily): Exclude<Opening, 'opened'> {
  if (user && [...user.families, ...user.closed ?? []].some(({ id }) => id === family.id)) return 'used'
  if (user?.passwordHash !== verifiedHash || user.disabledAt !== undefined || !isDeepStrictEqual(user.roles, roles) || versionOf(user.factors) !== verifiedFactors) return 'stale'
  if (session !== undefined && !user.families.some(({ id }) => id === session)) return 'stale'
  return isCrowded(user.closed, closing, maxClosingsFor(family)) ? 'crowded' : 'full'
}

// What a role must be, and the one form of a list of them; holds no meaning of a role, which is the services'.

/** So that an access token, which names them all, stays of a size that every header takes. */
export const MAX_ROLES = 32
const ROLE = /^[\w.:/-]{1,64}$/

/** The roles sorted and each once, or why they cannot be given, as a sentence. */
export function normaliseRoles (names: string[]): { roles: string[] } | { fault: string } {
  const wrong = names.find(name => !ROLE.test(name))
  if (wrong !== undefined) return { fault: `A role has 1 to 64 characters, each a letter or a digit of ASCII or one of . _ : / -; ${JSON.stringify(wrong)} is none.` }
  const roles = [...new Set(names)].sort()
  return roles.length > MAX_ROLES ? { fault: `A user has ${MAX_ROLES} roles at most.` } : { roles }
}

// How sure it is who a user is, by how the user proved it; holds no proof.

/** How a user proved it who brought the password alone (RFC 8176, section 2). */
export const PASSWORD_ALONE = ['pwd']

const [ONE, TWO] = ['http://idmanagement.gov/ns/assurance/aal/1', 'http://idmanagement.gov/ns/assurance/aal/2'] as const

/** The levels that a client may ask for (OpenID Connect Core 1.0, section 2, `acr`), the lowest first. */
export const ACR_VALUES: string[] = [ONE, TWO]

/** The level of a log-in by these methods; absent, by the password alone. */
export function acrOf (amr: readonly string[] = PASSWORD_ALONE): string {
  return amr.includes('mfa') ? TWO : ONE
}

/** Those of the levels that a client asks for that there are: others are no wish that could be met, and OpenID Connect Core 1.0, section 3.1.2.1, lets them go. */
export function readAcrValues (text = ''): string[] {
  const wanted = text.split(' ')
  return ACR_VALUES.filter(value => wanted.includes(value))
}

/** Whether a log-in by these methods is of one of the levels that are wanted, or above it; where none is wanted, whatever it is. */
export function isAssured (wanted: readonly string[], amr: readonly string[] | undefined): boolean {
  const reached = ACR_VALUES.indexOf(acrOf(amr))
  return wanted.length === 0 || wanted.some(value => ACR_VALUES.slice(0, reached + 1).includes(value))
}

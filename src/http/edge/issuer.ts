// Where things are below an issuer, whose URL may end with a slash or not; holds no path.

/** The address of a path below the issuer. */
export function addressBelow (issuer: string, path: string): string {
  return `${issuer.replace(/\/$/, '')}${path}`
}

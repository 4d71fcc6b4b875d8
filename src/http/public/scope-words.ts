// What a person reads of a scope, before `Allow` and on the account page; holds no rule of who may ask for one.

/** OpenID Connect Core 1.0, sections 5.4 and 11. */
export const SCOPE_WORDS: Record<string, string> = {
  openid: 'Know who you are when you come back',
  profile: 'See your name',
  email: 'See your e-mail address',
  offline_access: 'Keep its access while you are away',
}

/** A scope of a client's own is known by its name alone. */
export function wordsOf (scope: string): string {
  return Object.hasOwn(SCOPE_WORDS, scope) ? SCOPE_WORDS[scope]! : `Use “${scope}”`
}

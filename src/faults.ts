// What the system says when it refuses something, in words that a person can act on; holds no sentence of its own.

const WORDS: Record<string, string> = {
  EBUSY: 'something else holds it',
  EDQUOT: 'the disk is full',
  EEXIST: 'a file stands in its way',
  EIO: 'the disk fails',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead round in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ENFILE: 'too many files are open',
  ENOENT: 'it is not there',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is not a folder',
  EROFS: 'its disk is read-only',
  SQLITE_BUSY: 'another process holds it',
  SQLITE_CANTOPEN: 'it cannot be opened',
  SQLITE_CORRUPT: 'it is damaged',
  SQLITE_FULL: 'the disk is full',
  // Of a disk that is nearly full, too, on which the memory that its connections share has no room.
  SQLITE_IOERR: 'the disk is full, or fails',
  SQLITE_NOTADB: 'it is not an SQLite database',
}

const DENIED = ['EACCES', 'EPERM', 'SQLITE_READONLY']
/** SQLite's extended codes add a detail to the code of a kind, as in SQLITE_IOERR_SHMSIZE. */
const SQLITE_KIND = /^SQLITE_[A-Z]+/

/** Whether this user has not the right to do what failed. */
export function isDenied (cause: unknown): boolean {
  return DENIED.includes(kindOf(cause))
}

/** Why something failed, as the end of a sentence: in words for what the system refused, else as the error says it. */
export function inWords (cause: unknown): string {
  if (isDenied(cause)) return `user ${process.geteuid!()} may not`
  const { message } = cause as Error
  // What SQLite's driver says of a file that it cannot open.
  if (message.startsWith('ConnectionFailed')) return 'it cannot be opened'
  return WORDS[kindOf(cause)] ?? message
}

function kindOf (cause: unknown): string {
  const { code = '' } = cause as NodeJS.ErrnoException
  return SQLITE_KIND.exec(code)?.[0] ?? code
}

// What a UUID looks like, and how it is written as its sixteen bytes; holds no rule of what it names.

export const UUID_BYTES = 16
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

/** Whether a text is a UUID of any version, as Signet writes it: in lower case. */
export function isUuid (text: string): boolean {
  return UUID.test(text)
}

/** Writes an id at a place in the bytes. */
export function writeUuid (id: string, bytes: Buffer, at: number): void {
  bytes.write(id.replaceAll('-', ''), at, 'hex')
}

/** The id that begins at a place in the bytes, in lower case. */
export function readUuid (bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + UUID_BYTES)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

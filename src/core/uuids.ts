// How a UUID is written as its sixteen bytes; holds no rule of what it names.

export const UUID_BYTES = 16

/** Writes an id at a place in the bytes. */
export function writeUuid (id: string, bytes: Buffer, at: number): void {
  bytes.write(id.replaceAll('-', ''), at, 'hex')
}

/** The id that begins at a place in the bytes, in lower case. */
export function readUuid (bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + UUID_BYTES)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

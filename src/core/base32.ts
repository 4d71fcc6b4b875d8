// Bytes in letters that people can type; holds no alphabet and no meaning of them.

/** Five bits a letter, the first ones first, without padding (RFC 4648, section 6), in an alphabet of 32. */
export function base32 (bytes: Uint8Array, alphabet: string): string {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  return bits.replace(/.{1,5}/g, five => alphabet[parseInt(five.padEnd(5, '0'), 2)]!)
}

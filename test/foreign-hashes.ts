// Hashes of one password in every form that an import takes, made by others than us: Python's hashlib, argon2-cffi, passlib, bcrypt and Django. Cheap ones, so that tests are quick.
export const PASSWORD = 'correct horse battery'

export const HASHES = {
  argon2d: '$argon2d$v=19$m=256,t=2,p=2$c2l4dGVlbi1ieXRlLXNhbA$XV9upMm4AYGmatJEW3wLiet55JVBeM7Jow7GUbblAwY',
  argon2i: '$argon2i$v=19$m=256,t=2,p=2$c2l4dGVlbi1ieXRlLXNhbA$WP7lve9IkuNzDHTeXPhq8177MzeajPEgSLP8+JrviUs',
  argon2id: '$argon2id$v=19$m=256,t=2,p=2$c2l4dGVlbi1ieXRlLXNhbA$tzZ26626cPTp3ALKabzx+zyurV5uBiXWCDhzMsWQlhg',
  'argon2id v16': '$argon2id$v=16$m=256,t=2,p=1$c2l4dGVlbi1ieXRlLXNhbA$+zk+FsYKZBfLiYvOjGPHa932cyd2DyqiFeP33PUlKys',
  'scrypt passlib': '$scrypt$ln=8,r=8,p=1$c2l4dGVlbi1ieXRlLXNhbA$tOBuABqYgAfzM67vALe3tMvsqi0+MbT+uiVvQh/lLhI',
  'scrypt @phc': '$scrypt$n=8,r=8,p=2$c2l4dGVlbi1ieXRlLXNhbA$N3uo3lkmYpExUBUiRKKgMr2jVLc7vD5YqCEE1wK8XCmz9y/egAhbo1GsPeRC0Ep18z7TpHyUxeGXj9WxCItOPA',
  'pbkdf2-sha1': '$pbkdf2-sha1$i=1000,l=20$c2l4dGVlbi1ieXRlLXNhbA$dM9Sxm+5uN0u9DTCU0Iylqf9S5U',
  'pbkdf2-sha256': '$pbkdf2-sha256$i=1000,l=32$c2l4dGVlbi1ieXRlLXNhbA$wuGWGqyxxa5FpnDN1ZcG1rJIZVNqdbKu2N3LZuK3nvk',
  'pbkdf2-sha512': '$pbkdf2-sha512$i=1000,l=64$c2l4dGVlbi1ieXRlLXNhbA$lcZv/LymSxxc1T5wsbrllJSBfr1Rj7FNIK6MOU9EQayVlkCVtSxqCYPBn3Z56Kcada6WtdRMPAvRdgwkySkbNA',
  'pbkdf2-sha256 long': '$pbkdf2-sha256$i=1000$c2l4dGVlbi1ieXRlLXNhbA$wuGWGqyxxa5FpnDN1ZcG1rJIZVNqdbKu2N3LZuK3nvmbMVQ8RASkl96kDD7D7lHDtSEKJvF9QRDB80Pt3PYkRw',
  'passlib pbkdf2-sha1': '$pbkdf2$1000$/./.IHNhbHQ$G7sgqJP1XLUWuStSYyspQzYA2dM',
  'passlib pbkdf2-sha256': '$pbkdf2-sha256$1000$/./.IHNhbHQ$7Q1gzqPdY0PYpybnUv.jo9bS6v2.vOsZNB3bp9DNshc',
  'passlib pbkdf2-sha512': '$pbkdf2-sha512$1000$/./.IHNhbHQ$aUJr95JEnZaK.2DmYSW2R/6e0IxdfWTCMUDHB.6Qwmqgg6J4COsO1I0T4q6.e4XRfUhjotSqO3iLe.3eiiPq4g',
  fbscrypt: '$fbscrypt$v=1,n=8,r=8,p=1,ss=Bw==,sk=nBWot2xHxyEBcLSIembYBjNx8O9kReDW1fBpQrRRVsQd6BNeSxO4HocWtdw5TZEOxF5DNn0qdcL4fRZhnTv62w==$c2FsdC1vZi1vbmU=$mPSiBSsRRPR8sPyb7VgvNMWCLez9CG5r6fQ1L0DQy3vHoy3l5ANrjoUftWhVwScsnXw1sGrciK1nRYnB+ES7XQ==',
  'django pbkdf2_sha256': 'pbkdf2_sha256$1000$a1B2c3D4e5F6g7H8$CEe3isTUniDFJ0x1bdFWoJ33HbZOwatPtmNNi+Kuql4=',
  'django pbkdf2_sha1': 'pbkdf2_sha1$1000$a1B2c3D4e5F6g7H8$yqiTIPHBIDUaqw4vo3lyrP/Ey1s=',
  'django scrypt': 'scrypt$256$a1B2c3D4e5F6g7H8$8$2$dNH7x6Ia3FgSAm2ZpwPw9NPr08h+EaXCfw4FDqYJkfg05ovNsQiMCuwXJeMdBCPNG7Xz6kbiWHCSliCSvZTUvQ==',
  'django argon2': 'argon2$argon2id$v=19$m=256,t=2,p=2$YTFCMmMzRDRlNUY2ZzdIOA$Fb9z8/tIkTWSyh6xBKLDWpL25SIcAhsYCXi37Yd4Obg',
  'django bcrypt_sha256': 'bcrypt_sha256$$2b$04$EeWJ9jvLVoP8RQPx79/p/eonCgZcAmHM0ZKGPdVVUQaVDNgGSix7q',
  'django bcrypt': 'bcrypt$$2b$04$EeWJ9jvLVoP8RQPx79/p/e3wrNxhhheS/3.7yIuE82beQOv9sv.wa',
  'bcrypt 2b': '$2b$04$EeWJ9jvLVoP8RQPx79/p/e3wrNxhhheS/3.7yIuE82beQOv9sv.wa',
  'bcrypt 2a': '$2a$05$4MfghV5V5XH5Cn2rGZzqQuZJzJmdkk4aXMS2LU/UtEtlqcZwvZdOq',
  'bcrypt 2y': '$2y$04$EeWJ9jvLVoP8RQPx79/p/e3wrNxhhheS/3.7yIuE82beQOv9sv.wa',
} as const

/** Of a password that is no NFKC: Signet would hash another spelling. */
export const DECOMPOSED = 'cafe\u0301 cre\u0300me bru\u0302le\u0301e'
export const OF_DECOMPOSED = ['$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbi1ieXRlLXNhbA$NRxBeXkCSuCwnYZKgU69e3ntAaGH4yrg9AA6ryK2VEg', '$2b$04$EeWJ9jvLVoP8RQPx79/p/e9HR8Mpokhvs6awTUt/9ZbPOZiyln9rC']

/** Of a password that is longer than bcrypt reads: by bcrypt alone, which takes its beginning, and by Django, which takes all of it. */
export const LONG = `${'x'.repeat(71)}correct horse`
export const OF_LONG = { bcrypt: '$2b$04$EeWJ9jvLVoP8RQPx79/p/ewhiBCsG5KzeEYn3wp7Boake3AbdZqvq', django: 'bcrypt_sha256$$2b$04$EeWJ9jvLVoP8RQPx79/p/e//4r4TPxXGutPo3wTIH2aG48VeChN5C' }

// Serves this folder and the library at http://127.0.0.1:4001; stands for whatever serves your pages.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { setting } from '../discover.js'

const { ISSUER = 'http://127.0.0.1:3000', PORT = '4001' } = process.env
const CLIENT_ID = setting('CLIENT_ID')
const HERE = new URL('.', import.meta.url)
const FILES = {
  '/': ['text/html', new URL('index.html', HERE)],
  '/app.js': ['text/javascript', new URL('app.js', HERE)],
  // A front end with a bundler imports it as 'oidc-client-ts'.
  '/oidc-client-ts.js': ['text/javascript', new URL('../browser/oidc-client-ts.min.js', import.meta.resolve('oidc-client-ts'))]
}

createServer(async (request, response) => {
  const [type, file] = FILES[request.url.split('?')[0]] ?? []
  if (!file) {
    response.writeHead(404).end()
    return
  }
  const text = (await readFile(file, 'utf8')).replace('http://127.0.0.1:3000', ISSUER).replace("'CLIENT_ID'", `'${CLIENT_ID}'`)
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(text)
}).listen(Number(PORT), '127.0.0.1', () => { console.log(`Open http://127.0.0.1:${PORT}/`) })

// Serves this folder and Signet's client at http://127.0.0.1:5173; stands for whatever serves your pages.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'

const HERE = new URL('.', import.meta.url)
const FILES = {
  '/': ['text/html', new URL('index.html', HERE)],
  '/app.js': ['text/javascript', new URL('app.js', HERE)],
  '/icon.svg': ['image/svg+xml', new URL('icon.svg', HERE)],
  '/style.css': ['text/css', new URL('style.css', HERE)],
  // A front end with a bundler imports it as '@signet/client'.
  '/client.js': ['text/javascript', new URL('../../src/client/client.js', HERE)]
}

const { PORT = '5173', SIGNET = 'http://127.0.0.1:3000' } = process.env

createServer(async (request, response) => {
  const [type, file] = FILES[request.url.split('?')[0]] ?? []
  if (!file) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache' }).end((await readFile(file, 'utf8')).replaceAll('http://127.0.0.1:3000', SIGNET))
}).listen(Number(PORT), '127.0.0.1', () => { process.stdout.write(`Open http://127.0.0.1:${PORT}/\n`) })

// The page at /docs, written from the OpenAPI document, in groups; holds no route, and nothing of what a route does.
import { schemaOf, type Document, type Operation } from './openapi.js'

interface Placed extends Operation { method: string, path: string }

/** The page of a document, as HTML, which loads nothing but what is served beside it. */
export function docsPage (document: Document): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })))
  const groups = document.tags.map(tag => ({ ...tag, operations: operations.filter(({ tags }) => tags[0] === tag.name) }))
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="description" content="Every route of this Signet: what it takes, what it answers, and a form to try it.">
  <meta name="color-scheme" content="light dark">
  <title>Routes · Signet</title>
  <link rel="icon" href="docs/mark.svg" type="image/svg+xml">
  <link rel="stylesheet" href="docs/account.css">
  <link rel="stylesheet" href="docs/docs.css">
  <script type="module" src="docs/docs.js"></script>
</head>
<body>
  <header class="top">
    <p class="brand"><img class="mark" src="docs/mark.svg" alt="" width="28" height="28"> Signet</p>
    <a class="quiet" href="docs/json">OpenAPI</a>
  </header>
  <main>
    <h1>Routes of Signet</h1>
    <p class="lead">Version ${text(document.info.version)}, at <code>${text(document.servers[0]!.url)}</code>. Log in below, and what you send next carries the access token that you got; this page keeps it in memory alone.</p>
    <p class="session" id="session" role="status">No access token yet.</p>
    <nav aria-label="Groups">${groups.map(({ name }) => `<a href="#${text(name)}">${text(name)}</a>`).join(' ')}</nav>
${groups.map(group => groupOf(group, document)).join('\n')}
  </main>
</body>
</html>
`
}

function groupOf ({ name, description, operations }: { name: string, description: string, operations: Placed[] }, document: Document): string {
  return `    <section class="card" id="${text(name)}" aria-labelledby="${text(name)}-title">
      <h2 id="${text(name)}-title">${text(name)}</h2>
      <p class="lead">${text(description)}</p>
${operations.map(operation => operationOf(operation, document)).join('\n')}
    </section>`
}

function operationOf (operation: Placed, document: Document): string {
  const { operationId: id, method, path, summary, description, security = [] } = operation
  const needsToken = security.some(scheme => 'bearer' in scheme)
  return `      <details class="operation" id="${text(id)}">
        <summary><h3><span class="method ${method.toLowerCase()}">${method}</span> <code>${text(path)}</code> <span class="what">${text(summary)}</span></h3></summary>
        <p>${text(description)}${needsToken ? ' It takes an access token.' : ''}</p>
${formOf(operation)}
${membersOf(operation, document)}
        <h4>Answers</h4>
        <dl class="answers">
${Object.entries(operation.responses).map(([status, answer]) => answerOf(status, answer)).join('\n')}
        </dl>
      </details>`
}

function formOf ({ operationId: id, method, path, parameters = [], requestBody }: Placed): string {
  const fields = parameters.map(({ name, in: place, schema }) => `
          <div class="field"><label for="${text(id)}-${text(name)}">${text(name)}</label><input id="${text(id)}-${text(name)}" name="${text(name)}" autocomplete="off" spellcheck="false" placeholder="${text(schema.description!)}"${place === 'path' ? ' required' : ''}></div>`)
  const [[type, content] = []] = Object.entries(requestBody?.content ?? {})
  const example = content && (isForm(type) ? String(new URLSearchParams(content.example as Record<string, string>)) : JSON.stringify(content.example, null, 2))
  const area = example === undefined
    ? ''
    : `
          <div class="field"><label for="${text(id)}-body">Body</label><textarea id="${text(id)}-body" name="body" data-type="${text(type!)}" rows="${example.split('\n').length}" spellcheck="false" autocomplete="off" autocapitalize="none">${text(example)}</textarea></div>`
  return `        <form data-method="${method}" data-path="${text(path)}">${fields.join('')}${area}
          <button type="submit" class="primary">Send<span class="visually-hidden"> ${method} ${text(path)}</span></button>
          <div class="answer" role="status"></div>
        </form>`
}

function membersOf ({ requestBody }: Placed, document: Document): string {
  if (!requestBody) return ''
  const { properties, required = [] } = schemaOf(Object.values(requestBody.content)[0]!.schema, document)
  const members = Object.entries(properties!).map(([name, named]) => {
    const member = named.$ref ? schemaOf(named, document) : named
    const facts = [
      [member.type].flat().join(' or '),
      required.includes(name) ? 'required' : 'optional',
      member.enum && `only ${member.enum.join(', ')}`,
      member.minLength && `at least ${member.minLength} characters`,
      member.maxLength && `at most ${member.maxLength} characters`,
    ].filter(Boolean)
    return `          <dt><code>${text(name)}</code> <span class="facts-of">${text(facts.join(', '))}</span></dt><dd>${text(member.description!)}</dd>`
  })
  return `        <h4>Members of the body</h4>
        <dl class="members">
${members.join('\n')}
        </dl>`
}

function isForm (type: string | undefined): boolean {
  return type === 'application/x-www-form-urlencoded'
}

/** A success by its example; a failure by each of its codes, and the sentence that comes with it. */
function answerOf (status: string, { description, content }: Operation['responses'][string]): string {
  const problems = Object.values(content?.['application/problem+json']?.examples ?? {})
  const said = problems.map(({ value: { code, detail } }) => `<p><code>${code}</code> ${text(detail)}</p>`).join('') || `<p>${text(description)}.</p>`
  const example = content?.['application/json']?.example
  const looks = example === undefined ? '' : `<pre tabindex="0">${text(JSON.stringify(example, null, 2))}</pre>`
  return `          <dt>${status}</dt><dd>${said}${looks}</dd>`
}

/** As text of HTML, and of an attribute in double quotes. */
function text (raw: string): string {
  return raw.replace(/[&<>"]/g, character => `&#${character.codePointAt(0)};`)
}

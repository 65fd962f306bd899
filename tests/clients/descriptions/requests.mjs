// Builds the requests of operations with the client behind Swagger UI, from the description and the
// arguments of a call: node requests.mjs CLIENT < calls.json > requests.json
//
// It knows nothing of the importer but the rule for the names of arguments. References are followed
// here, and only where a request depends on them: the client would resolve whole schemas, which
// takes it a second for some operations.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The file is made for browsers.

globalThis.window = globalThis;
const { buildRequest } = createRequire(import.meta.url)(process.argv[2]);

const BASE = 'http://service.invalid';
const FORM = 'application/x-www-form-urlencoded';
const NOT_PARAMETERS = ['accept', 'authorization', 'content-type'];

function followed(document, value) {
  while (value?.$ref) {
    const steps = decodeURIComponent(value.$ref.slice('#/'.length)).split('/');
    const name = (step) => step.replaceAll('~1', '/').replaceAll('~0', '~');
    value = steps.reduce((place, step) => place[name(step)], document);
  }
  return value;
}

// An argument has the name of its parameter, in the characters that such names have; one that is
// taken gets the parameter's place before it.
function named(parameters, given) {
  const values = {};
  const taken = new Set(['body']);
  for (const { name, in: place } of parameters) {
    const replaced = name.replace(/[^A-Za-z0-9_.-]/g, '_').replace(/__+/g, '_');
    const plain = /^[A-Za-z0-9_.-]*$/.test(name) ? name : replaced.replace(/^_|_$/g, '');
    const isFree = (name) => Object.hasOwn(given, name) && !taken.has(name);
    const argument = [plain, `${place}_${plain}`].find(isFree);
    if (argument !== undefined) {
      taken.add(argument);
      values[`${place}.${name}`] = given[argument];
    }
  }
  return values;
}

const isNested = (value) => typeof value === 'object' && value !== null;

// OpenAPI defines objects and lists of scalars in a query, and no `deepObject` of a list.
function isDefined({ in: place, name, style, content }, values) {
  const value = values[`${place}.${name}`];
  const isList = Array.isArray(value) && style === 'deepObject';
  const isDeep = isNested(value) && (isList || Object.values(value).some(isNested));
  return content !== undefined || !isDeep;
}

function parametersOf(document, item, operation) {
  const all = new Map();
  for (const value of [...(item.parameters ?? []), ...(operation.parameters ?? [])]) {
    const parameter = followed(document, value);
    // What the host sends in place of a tool, such as a key, is no argument.
    all.set(`${parameter.in}.${parameter.name}`, { ...parameter, required: false });
  }
  return [...all.values()];
}

// A tool sends JSON where it can, and else a form.
function mediaOf(content) {
  const names = Object.keys(content).sort();
  const json = names.find((name) => name === 'application/json')
    ?? names.find((name) => /^[\w.+/-]*[/+]json *(;|$)/.test(name));
  const wild = names.some((name) => ['*/*', 'application/*'].includes(name));
  return json ?? (wild ? 'application/json' : names.find((name) => name === FORM));
}

// The client takes a list in a form for one value with commas, and an object for JSON. OpenAPI's
// default is the key for each item (3.0.3 §4.7.15.1, `style` and `explode`); objects get brackets,
// as services read them. Both are written out here. `undefined` is for what the client cannot write
// or OpenAPI does not define: more levels, and brackets for lists.
function encodingOf(part, body) {
  const encoding = { ...part?.encoding };
  for (const [name, value] of Object.entries(body)) {
    if (isNested(value)) {
      encoding[name] ??= { style: Array.isArray(value) ? 'form' : 'deepObject', explode: true };
      const isList = Array.isArray(value) && encoding[name].style !== 'deepObject';
      const isObject = !Array.isArray(value) && encoding[name].style === 'deepObject';
      if (Object.values(value).some(isNested) || !(isList || isObject)) {
        return undefined;
      }
    } else {
      delete encoding[name];
    }
  }
  return encoding;
}

function built(document, { method, path, given }) {
  const item = followed(document, document.paths[path]);
  const operation = item[method.toLowerCase()];
  const parameters = parametersOf(document, item, operation);
  const { content } = followed(document, operation.requestBody) ?? {};
  const media = given.body === undefined ? undefined : mediaOf(content);
  const values = named(parameters, given);
  if (!parameters.every((parameter) => isDefined(parameter, values))) {
    return null;
  }
  const bare = { operationId: 'it', parameters };
  if (media !== undefined) {
    const encoding = media === FORM ? encodingOf(content[media], given.body) : {};
    if (encoding === undefined) {
      return null;
    }
    bare.requestBody = { content: { [media]: { encoding } } };
  }
  const accepted = Object.entries(operation.responses ?? {}).flatMap(([status, response]) =>
    status.startsWith('2') ? Object.keys(followed(document, response).content ?? {}) : []);
  const request = buildRequest({
    spec: { openapi: document.openapi, paths: { [path]: { [method.toLowerCase()]: bare } } },
    operationId: 'it',
    baseURL: BASE,
    parameters: values,
    // The client takes a text for JSON that is written already.
    requestBody: typeof given.body === 'string' ? JSON.stringify(given.body) : given.body,
    requestContentType: media,
  });
  const { body = '', headers } = request;
  const isSent = ({ name, in: place }) =>
    place === 'header' && !NOT_PARAMETERS.includes(name.toLowerCase());
  return {
    method: request.method,
    target: request.url.slice(BASE.length),
    headers: Object.fromEntries(parameters.filter(isSent).map(
      ({ name }) => [name.toLowerCase(), headers[name] === undefined ? null : `${headers[name]}`])),
    media: headers['Content-Type'] ?? null,
    accepted,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

const documents = JSON.parse(readFileSync(0, 'utf8'));
const requests = documents.map(({ file, calls }) => {
  const document = JSON.parse(readFileSync(file, 'utf8'));
  return calls.map((call) => built(document, call));
});
process.stdout.write(JSON.stringify(requests));

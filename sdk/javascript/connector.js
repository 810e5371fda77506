// Reads Example CRM: companies, contacts, deals with their pipelines, and notes.
//
// It holds no credential and names no host: it asks the host for a path below the endpoint "api" of manifest.toml. The modules that it imports
// and exports are those of `wit/`; what each function promises is written there.
import { send } from 'longshore:connector/http@0.1.0';

const PAGE_MAX = 100;
// The field's name in answers and in rows, what people see, its kind, and the standard property that it is.
const CREATED = ['created_at', 'Created', 'instant', 'createdate'];
const OBJECTS = {
  company: { path: 'companies', links: {}, fields: [['name', 'Name', 'text', 'name'], ['domain', 'Domain', 'text', 'domain'], CREATED] },
  contact: {
    path: 'contacts',
    links: { company: 'company' },
    fields: [['first_name', 'First name', 'text', 'firstname'], ['last_name', 'Last name', 'text', 'lastname'],
      ['email', 'E-mail', 'email', 'email'], ['phone', 'Phone', 'phone', 'phone'], CREATED],
  },
  deal: {
    path: 'deals',
    links: { company: 'company', contacts: 'contact' },
    fields: [['title', 'Title', 'text', 'dealname'], ['amount', 'Amount', 'money', 'amount'],
      ['currency', 'Currency', 'text', 'deal_currency_code'], ['pipeline', 'Pipeline', 'reference', 'pipeline'],
      ['stage', 'Stage', 'reference', 'dealstage'], ['close_date', 'Expected close', 'date', 'expected_close_date'], CREATED],
  },
};
const NOTES = {
  note: {
    path: 'notes',
    links: { contact: 'contact', deal: 'deal' },
    fields: [['body', 'Text', 'html', 'hs_note_body'], ['at', 'Written', 'instant', 'hs_timestamp']],
  },
};
const CUSTOM_KINDS = { text: 'text', number: 'decimal', date: 'date', choice: 'option' };
const FAILURES = { 401: 'auth', 403: 'permission', 404: 'not-found', 429: 'rate-limited' };

// A failure for the host, which decides by its kind what to do. What is thrown becomes the error of the call.
const fail = (kind, code, message, httpStatus, retryAfterMs) =>
  ({ kind, code: `example.${code}`, message, retryAfterMs, httpStatus, attributes: [] });

// Hands the answer to `read`. A failure of `send` goes on to the host as it is.
function get(path, query, read) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
  const answer = ask({ endpoint: 'api', method: 'get', path, query: given, headers: [], body: undefined, idempotent: true });
  if (answer.status !== 200) throw refused(path, answer);
  try {
    return read(JSON.parse(new TextDecoder().decode(answer.body)));
  } catch (error) {
    throw fail('bad-data', 'answer', `the answer to ${path} is not as expected: ${error.message}`, answer.status);
  }
}

function ask(request) {
  try {
    return send(request);
  } catch (error) {
    throw error.payload ?? error;
  }
}

function refused(path, { status, headers, body }) {
  const isStale = status === 400 && new TextDecoder().decode(body).includes('"bad_cursor"');
  const kind = isStale ? 'stale-cursor' : FAILURES[status] ?? (status >= 500 ? 'transient' : 'permanent');
  const seconds = new Map(headers).get('retry-after');
  const wait = /^\d+$/.test(seconds ?? '') ? BigInt(seconds) * 1000n : undefined;
  return fail(kind, `status-${status}`, `GET ${path} was answered with ${status}`, status, wait);
}

const describe = (objects) => Object.entries(objects).map(([name, { path, fields, links }]) => ({
  name,
  label: path[0].toUpperCase() + path.slice(1),
  standard: name,
  fields: [...fields.map(standardField), ...get('/fields', { object: path }, (answer) => answer.items.map(customField))],
  associations: Object.entries(links).map(([link, to]) => ({ name: link, to, attributes: [] })),
  incremental: true,
  attributes: [],
}));

const standardField = ([name, label, kind, standard]) => {
  const attributes = name === 'amount' ? [['currency-field', 'currency']] : [];
  return { name, label, kind, custom: false, readOnly: false, standard, options: [], attributes };
};

const customField = ({ key, label, type, choices = [] }) =>
  ({ name: key, label, kind: CUSTOM_KINDS[type], custom: true, readOnly: false, options: choices, attributes: [] });

function fetch(objects, { object, cursor, updatedSince, limit }) {
  if (!Object.hasOwn(objects, object)) throw fail('not-found', 'object', `there is no object "${object}"`);
  const { path, fields, links } = objects[object];
  const after = cursor && new TextDecoder().decode(cursor);
  const query = { limit: Math.min(limit, PAGE_MAX), after, changed_since: updatedSince };
  return get(`/${path}`, query, ({ items, next }) => ({
    rows: new TextEncoder().encode(items.map((item) => rowOf(item, fields, links)).join('')),
    next: next === null ? undefined : new TextEncoder().encode(next),
    attributes: [],
  }));
}

// One line of row grammar 1.
function rowOf(item, fields, links) {
  const row = { id: item.id, updated_at: item.changed_at };
  if (item.deleted) return JSON.stringify({ ...row, deleted: true }) + '\n';
  row.fields = { ...Object.fromEntries(fields.map(([name]) => [name, item[name]])), ...item.custom };
  row.associations = Object.keys(links).flatMap((name) => [item[name] ?? []].flat().map((end) => [name, end]));
  return JSON.stringify(row) + '\n';
}

const stageOf = ({ id, name, chance, result }) => ({ id, label: name, probability: chance ?? undefined, meaning: result, attributes: [] });

export const source = {
  check: () => get('/me', {}, ({ account, user }) => ({ ...account, user, missingScopes: [], attributes: [] })),
  listObjects: () => describe(OBJECTS),
  fetchRecords: (request) => fetch(OBJECTS, request),
};

export const engagements = {
  listEngagements: () => describe(NOTES),
  fetchEngagements: (request) => fetch(NOTES, request),
};

export const stages = {
  describeStages: () => get('/pipelines', {}, ({ items }) => items.map(({ id, name, stages: steps }) =>
    ({ id, label: name, object: 'deal', stages: steps.map(stageOf), attributes: [] }))),
};

// Holds HubSpot's own client for Node against a portal: every answer must fit the client's typed models, and say what the step expects.
// It takes HUBSPOT_BASE, HUBSPOT_TOKEN, HUBSPOT_APP, HUBSPOT_DEVELOPER_KEY, HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET, and in MODULES the
// folder that @hubspot/api-client is installed in. One line a step; the first surprise ends it with 1.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const env = process.env
const require = createRequire(join(env.MODULES, 'package.json'))
const { Client } = require('@hubspot/api-client')
const codegen = join(dirname(require.resolve('@hubspot/api-client')), 'codegen')
const config = { basePath: env.HUBSPOT_BASE, accessToken: env.HUBSPOT_TOKEN, developerApiKey: env.HUBSPOT_DEVELOPER_KEY }
const client = new Client(config)
const { crm } = client
const run = Date.now().toString(36)

// Entries of a batch's errors as recorded lack these, though the client's declarations require them.
const NOT_SENT = { StandardError: ['context', 'links', 'errors'] }

// Text in the client's declarations, numbers in the vendor's guides and in recorded answers.
const NUMBERS = ['toObjectId', 'fromObjectId']

// The classes of the models know the attributes' types; which ones are required stands in their declarations only.
const required = new Map()
function requiredOf(area, name) {
  const key = `${area}/${name}`
  if (!required.has(key)) {
    const text = readFileSync(join(codegen, area, 'models', `${name}.d.ts`), 'utf8')
    required.set(key, [...text.matchAll(/^ {4}'(\w+)': /gm)].map(match => match[1]).filter(field => !NOT_SENT[name]?.includes(field)))
  }
  return required.get(key)
}

function conforms(area, value, path = '') {
  const model = value.constructor
  assert.ok(model.getAttributeTypeMap, `${path} is no model`)
  for (const name of requiredOf(area, model.name)) {
    assert.ok(value[name] !== undefined && value[name] !== null, `${path}.${name} of ${model.name} is missing`)
  }
  for (const { name, type } of model.getAttributeTypeMap()) {
    const found = value[name]
    if (found === undefined || found === null) continue
    const items = type.startsWith('Array<') ? found : [found]
    assert.ok(Array.isArray(items), `${path}.${name} is no list`)
    const inner = type.replace(/^Array<(.*)>$/, '$1')
    for (const item of items) {
      if (inner === 'Date') assert.ok(item instanceof Date && !Number.isNaN(item.getTime()), `${path}.${name} is no instant`)
      else if (NUMBERS.includes(name)) assert.equal(typeof item, 'number', `${path}.${name}`)
      else if (['string', 'number', 'boolean'].includes(inner)) assert.equal(typeof item, inner, `${path}.${name}`)
      else if (inner.endsWith('Enum')) assert.equal(typeof item, 'string', `${path}.${name}`)
      else if (item.constructor.getAttributeTypeMap) conforms(area, item, `${path}.${name}`)
    }
  }
  return value
}

async function step(name, work) {
  try {
    await work()
    console.log(`ok ${name}`)
  } catch (error) {
    console.log(`SURPRISE in ${name}: ${error.stack ?? error}`)
    if (error.body) console.log(JSON.stringify(error.body))
    process.exit(1)
  }
}

const get = async (area, promise) => conforms(area, await promise)

async function refused(promise, code, category) {
  const error = await promise.then(() => assert.fail(`no ${code}`), error => error)
  assert.equal(error.code, code, JSON.stringify(error.body ?? error.message))
  // Errors that the client knows come as its own model.
  const body = typeof error.body === 'string' ? JSON.parse(error.body) : error.body
  for (const field of ['message', 'category', 'correlationId']) assert.equal(typeof body[field], 'string', field)
  if (category) assert.equal(body.category, category)
  return body
}

const ids = list => list.map(one => one.id)
const property = (name, more) => ({ name, label: name, groupName: `g_${run}`, type: 'string', fieldType: 'text', ...more })

await step('properties: group, unique text, options replaced, duplicate is 409', async () => {
  const area = 'crm/properties'
  const group = await get(area, crm.properties.groupsApi.create('contacts', { name: `g_${run}`, label: 'Check', displayOrder: -1 }))
  assert.equal(group.archived, false)
  const unique = await get(area, crm.properties.coreApi.create('contacts', property(`u_${run}`, { hasUniqueValue: true })))
  assert.equal(unique.hasUniqueValue, true)
  const choice = value => ({ label: value, value, displayOrder: 0, hidden: false })
  const select = property(`s_${run}`, { type: 'enumeration', fieldType: 'select', options: [choice('a'), choice('b')] })
  await get(area, crm.properties.coreApi.create('contacts', select))
  const changed = await get(area, crm.properties.coreApi.update('contacts', select.name, { options: [choice('c')] }))
  assert.deepEqual(changed.options.map(option => option.value), ['c'])
  await refused(crm.properties.coreApi.create('contacts', select), 409, 'OBJECT_ALREADY_EXISTS')
  await refused(crm.properties.coreApi.create('contacts', property('Upper')), 400, 'VALIDATION_ERROR')
})
await step('properties: batches, listing, archive', async () => {
  const area = 'crm/properties'
  const mixed = await get(area, crm.properties.batchApi.create('contacts', { inputs: [property(`b_${run}`), property(`u_${run}`)] }))
  assert.equal(mixed.numErrors, 1)
  assert.equal(mixed.errors[0].category, 'OBJECT_ALREADY_EXISTS')
  const read = await get(area, crm.properties.batchApi.read('contacts', { archived: false, inputs: [{ name: `b_${run}` }] }))
  assert.equal(read.results.length, 1)
  const all = await get(area, crm.properties.coreApi.getAll('contacts'))
  assert.ok(all.results.find(one => one.name === 'email').hubspotDefined)
  await crm.properties.coreApi.archive('contacts', `b_${run}`)
  const archived = await get(area, crm.properties.coreApi.getAll('contacts', true))
  assert.ok(archived.results.some(one => one.name === `b_${run}` && one.archived))
  await refused(crm.properties.coreApi.getByName('contacts', `b_${run}`), 404, 'OBJECT_NOT_FOUND')
})
await step('owners: pages, by address, by user', async () => {
  const area = 'crm/owners'
  let after
  const seen = []
  do {
    const page = await get(area, crm.owners.ownersApi.getPage(undefined, after, 2))
    seen.push(...page.results)
    after = page.paging?.next?.after
  } while (after)
  assert.ok(seen.length >= 3 && new Set(ids(seen)).size === seen.length)
  const [first] = seen
  assert.deepEqual(ids((await get(area, crm.owners.ownersApi.getPage(first.email))).results), [first.id])
  assert.equal((await get(area, crm.owners.ownersApi.getById(first.userId, 'userId'))).id, first.id)
})
let pipeline
await step('pipelines: default, created, stage added, in use, replaced', async () => {
  const area = 'crm/pipelines'
  const all = await get(area, crm.pipelines.pipelinesApi.getAll('deals'))
  assert.equal(all.results[0].id, 'default')
  const stage = (label, probability, displayOrder) => ({ label, displayOrder, metadata: { probability } })
  const input = { label: `P ${run}`, displayOrder: 5, stages: [stage('New', '0.1', 0), stage('Won', '1.0', 1)] }
  pipeline = await get(area, crm.pipelines.pipelinesApi.create('deals', input))
  assert.equal(pipeline.stages[1].metadata.isClosed, 'true')
  await get(area, crm.pipelines.pipelineStagesApi.create('deals', pipeline.id, stage('Lost', '0.0', 2)))
  await refused(crm.pipelines.pipelineStagesApi.create('deals', pipeline.id, stage('Lost', '0.0', 3)), 400)
  await get('crm/deals', crm.deals.basicApi.create({ properties: { dealname: 'd', pipeline: pipeline.id, dealstage: pipeline.stages[0].id } }))
  const used = await refused(crm.pipelines.pipelinesApi.archive('deals', pipeline.id, true), 400)
  assert.equal(used.subCategory, 'PipelineError.STAGE_ID_IN_USE')
  const replaced = await get(area, crm.pipelines.pipelinesApi.replace('deals', pipeline.id, { ...input, displayOrder: 6 }))
  assert.equal(replaced.stages.length, 2)
  assert.equal((await get(area, crm.pipelines.pipelineAuditsApi.getAudit('deals', pipeline.id))).results[0].action, 'UPDATE')
})
const address = name => `${name}.${run}@ex.test`
let ada
await step('contacts: create, read by id and e-mail, update, duplicate is 409 with the id', async () => {
  const area = 'crm/contacts'
  ada = await get(area, crm.contacts.basicApi.create({ properties: { email: address('Ada'), firstname: 'Ada', hubspot_owner_id: '41' } }))
  assert.equal(ada.properties.email, address('ada'))
  assert.equal(ada.properties.lifecyclestage, 'lead')
  const found = await get(area, crm.contacts.basicApi.getById(address('ada'), ['phone'], undefined, ['companies'], false, 'email'))
  assert.equal(found.id, ada.id)
  assert.equal(found.properties.phone, null)
  const changed = await get(area, crm.contacts.basicApi.update(ada.id, { properties: { phone: '+1', [`u_${run}`]: 'one' } }))
  assert.equal(changed.properties.phone, '+1')
  const twice = await refused(crm.contacts.basicApi.create({ properties: { email: address('ADA') } }), 409, 'CONFLICT')
  assert.equal(twice.message, `Contact already exists. Existing ID: ${ada.id}`)
  const invalid = await refused(crm.contacts.basicApi.create({ properties: { nonsense: 'x' } }), 400, 'VALIDATION_ERROR')
  const [inner] = JSON.parse(invalid.message.replace('Property values were not valid: ', ''))
  assert.equal(inner.error, 'PROPERTY_DOESNT_EXIST')
  await refused(crm.contacts.basicApi.getById('1'), 404, 'OBJECT_NOT_FOUND')
})
let people
await step('contacts: batches all or nothing, mixed with trace ids, upsert, update, read', async () => {
  const area = 'crm/contacts'
  const one = (name, trace) => ({ properties: { email: address(name), lastname: run }, associations: [], ...(trace && { objectWriteTraceId: trace }) })
  const whole = await refused(crm.contacts.batchApi.create({ inputs: [one('new'), one('ada')] }), 409, 'CONFLICT')
  assert.equal(whole.message, 'Contact already exists')
  const mixed = await get(area, crm.contacts.batchApi.create({ inputs: [one('b', '1'), one('ada', '2')] }))
  assert.equal(mixed.results.length, 1)
  assert.deepEqual(mixed.errors[0].context, { objectWriteTraceId: ['2'], existingId: [ada.id] })
  const many = await get(area, crm.contacts.batchApi.create({ inputs: [...Array(25).keys()].map(n => one(`m${n}`)) }))
  assert.equal(many.status, 'COMPLETE')
  people = ids(many.results)
  const upsert = value => ({ id: value, idProperty: `u_${run}`, properties: { lastname: 'Up' } })
  const upserted = await get(area, crm.contacts.batchApi.upsert({ inputs: [upsert('one'), upsert('two')] }))
  assert.deepEqual(upserted.results.map(result => result._new).sort(), [false, true])
  const updated = await get(area, crm.contacts.batchApi.update({ inputs: [{ id: people[0], properties: { city: 'Bern' } }, { id: '1', properties: { city: 'Bern' }, objectWriteTraceId: 'x' }].slice(0, 1) }))
  assert.equal(updated.results[0].properties.city, 'Bern')
  const same = await refused(crm.contacts.batchApi.update({ inputs: [people[0], people[0]].map(id => ({ id, properties: {} })) }), 400)
  assert.deepEqual(same.context.ids, [people[0]])
  const read = await get(area, crm.contacts.batchApi.read({ inputs: [{ id: people[1] }, { id: '1' }], properties: ['email'], propertiesWithHistory: ['email'] }))
  assert.equal(read.results.length, 1)
  assert.equal(read.errors[0].category, 'OBJECT_NOT_FOUND')
})
await step('contacts: paged list, search paged after the index lag, archive', async () => {
  const area = 'crm/contacts'
  const all = await crm.contacts.getAll(10, undefined, ['email'])
  assert.ok(people.every(id => all.some(one => one.id === id)))
  const filter = { filters: [{ propertyName: 'lastname', operator: 'EQ', value: run }] }
  const search = after => crm.contacts.searchApi.doSearch({ filterGroups: [filter], sorts: [{ propertyName: 'email', direction: 'ASCENDING' }], properties: ['email'], limit: 10, after })
  let page
  for (let tries = 0; tries < 20; tries++) {
    page = await get(area, search())
    if (page.total >= 26) break
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
  const found = [...ids(page.results)]
  while (page.paging) found.push(...ids((page = await get(area, search(page.paging.next.after))).results))
  assert.equal(found.length, 26)
  assert.equal(new Set(found).size, 26)
  await refused(crm.contacts.searchApi.doSearch({ limit: 201 }), 400)
  await crm.contacts.batchApi.archive({ inputs: people.slice(2, 4).map(id => ({ id })) })
  await crm.contacts.basicApi.archive(people[4])
  const archived = await get(area, crm.contacts.basicApi.getPage(100, undefined, undefined, undefined, undefined, true))
  assert.ok(people.slice(2, 5).every(id => archived.results.some(one => one.id === id && one.archivedAt instanceof Date)))
})
await step('associations: default, primary, labelled, in batches', async () => {
  const area = 'crm/associations/v4'
  const { basicApi, batchApi, schema } = crm.associations.v4
  const company = await get('crm/companies', crm.companies.basicApi.create({ properties: { name: run, industry: 'RETAIL' } }))
  const made = await get(area, basicApi.createDefault('contacts', ada.id, 'companies', company.id))
  assert.equal(made.status, 'COMPLETE')
  const hubspot = associationTypeId => ({ associationCategory: 'HUBSPOT_DEFINED', associationTypeId })
  await get(area, basicApi.create('contacts', ada.id, 'companies', company.id, [hubspot(1)]))
  const page = await get(area, basicApi.getPage('contacts', ada.id, 'companies'))
  assert.equal(String(page.results[0].toObjectId), company.id)
  assert.deepEqual(page.results[0].associationTypes.map(type => type.typeId).sort(), [1, 279])
  const label = await get('crm/associations/v4/schema', schema.definitionsApi.create('contacts', 'companies', { label: 'Advisor', name: `adv_${run}`, inverseLabel: 'Advised' }))
  assert.equal(label.results.length, 2)
  const labels = await get('crm/associations/v4/schema', schema.definitionsApi.getAll('contacts', 'companies'))
  const { typeId } = labels.results.find(one => one.label === 'Advisor')
  const pair = (id, types) => ({ _from: { id }, to: { id: company.id }, ...(types && { types }) })
  const userDefined = [{ associationCategory: 'USER_DEFINED', associationTypeId: typeId }]
  const batch = await get(area, batchApi.create('contacts', 'companies', { inputs: [pair(people[0], userDefined), pair(people[1], userDefined)] }))
  assert.equal(batch.results.length, 2)
  await get(area, batchApi.createDefault('contacts', 'companies', { inputs: [pair(people[5])] }))
  const read = await get(area, batchApi.getPage('contacts', 'companies', { inputs: [{ id: people[0] }, { id: people[6] }] }))
  assert.deepEqual(read.results[0].to[0].associationTypes.map(type => type.label).sort(), ['Advisor', null])
  assert.equal(read.errors[0].subCategory, 'crm.associations.NO_ASSOCIATIONS_FOUND')
  await batchApi.archiveLabels('contacts', 'companies', { inputs: [pair(people[0], userDefined)] })
  await batchApi.archive('contacts', 'companies', { inputs: [{ _from: { id: people[1] }, to: [{ id: company.id }] }] })
  await basicApi.archive('contacts', ada.id, 'companies', company.id)
  assert.deepEqual((await get(area, basicApi.getPage('contacts', ada.id, 'companies'))).results, [])
  await refused(basicApi.create('contacts', ada.id, 'companies', company.id, [hubspot(2)]), 400)
})
await step('custom object: schema, record by its type id', async () => {
  const name = { name: 'name', label: 'Name', type: 'string', fieldType: 'text' }
  const egg = { name: `ship_${run}`, labels: { singular: 'Ship', plural: 'Ships' }, primaryDisplayProperty: 'name', requiredProperties: ['name'], searchableProperties: [], secondaryDisplayProperties: [], properties: [name], associatedObjects: ['CONTACT'] }
  const schema = await get('crm/schemas', crm.schemas.coreApi.create(egg))
  const ship = await get('crm/objects', crm.objects.basicApi.create(schema.objectTypeId, { properties: { name: 'Ada' } }))
  await get('crm/objects', crm.objects.basicApi.getById(schema.objectTypeId, ship.id, ['name'], undefined, ['contacts']))
})
await step('oauth: code, token, what the token is; webhooks: target and subscription', async () => {
  const back = 'http://127.0.0.1:9/back'
  const target = client.oauth.getAuthorizationUrl(env.HUBSPOT_CLIENT_ID, back, 'crm.objects.contacts.read', undefined, 's').replace('https://app.hubspot.com', env.HUBSPOT_BASE)
  const { headers } = await fetch(target, { redirect: 'manual' })
  const code = new URL(headers.get('location')).searchParams.get('code')
  const pair = await get('oauth', client.oauth.tokensApi.create('authorization_code', code, back, env.HUBSPOT_CLIENT_ID, env.HUBSPOT_CLIENT_SECRET))
  const facts = await get('oauth', client.oauth.accessTokensApi.get(pair.accessToken))
  assert.deepEqual(facts.scopes, ['crm.objects.contacts.read'])
  const narrow = new Client({ ...config, accessToken: pair.accessToken })
  await get('crm/contacts', narrow.crm.contacts.basicApi.getPage())
  await refused(narrow.crm.companies.basicApi.getPage(), 403, 'MISSING_SCOPES')
  await refused(new Client({ ...config, accessToken: 'x' }).crm.contacts.basicApi.getPage(), 401)
  const app = Number(env.HUBSPOT_APP)
  await get('webhooks', client.webhooks.settingsApi.configure(app, { targetUrl: back, throttling: { maxConcurrentRequests: 5 } }))
  const made = await get('webhooks', client.webhooks.subscriptionsApi.create(app, { eventType: 'contact.propertyChange', propertyName: 'phone', active: true }))
  assert.ok((await get('webhooks', client.webhooks.subscriptionsApi.getAll(app))).results.some(one => one.id === made.id))
  await client.webhooks.settingsApi.clear(app)
})
await step('limits: searches beyond five a second are 429, and the client tries again', async () => {
  const search = one => one.crm.companies.searchApi.doSearch({ limit: 1 })
  const burst = await Promise.allSettled(Array.from({ length: 12 }, () => search(client)))
  const late = burst.filter(one => one.status === 'rejected').map(one => one.reason)
  assert.ok(late.length >= 1 && late.every(error => error.code === 429))
  assert.equal(late[0].body.message, 'You have reached your secondly limit.')
  const patient = new Client({ ...config, numberOfApiCallRetries: 5 })
  console.error = () => {}
  const all = await Promise.all(Array.from({ length: 8 }, () => search(patient)))
  all.forEach(page => conforms('crm/companies', page))
})

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CODES } from '@belfry/api/openapi/problem.js';
import { Validator } from '@seriousme/openapi-schema-validator';
import { apiDocument, type Content, operations, responseOf } from '../support/api-document/operations.js';
import { type Direction, wrongWith } from '../support/api-document/schemas.js';
import { useFleet } from '../support/fleet.js';

describe('/openapi.json', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], api: 2 });

  test('is what the schemas say, for anybody, the same from every process', async () => {
    const answer = await fleet().page('/openapi.json', { as: null });
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json\b/);
    assert.deepEqual(JSON.parse(answer.text), apiDocument());
    assert.equal((await fleet().page('/openapi.json', { as: null, api: 1 })).text, answer.text);
  });

  test('is not sent again to whoever has it', async () => {
    const etag = (await fleet().page('/openapi.json', { as: null })).headers.get('etag') ?? '';
    assert.notEqual(etag, '');
    // Without it, fetch would ask for a copy that is no older than the question.
    const asBrowsersDo = { 'cache-control': 'max-age=0' };
    const again = await fleet().page('/openapi.json', {
      as: null,
      headers: { 'if-none-match': etag, ...asBrowsersDo },
    });
    assert.equal(again.status, 304);
    assert.equal(again.text, '');
  });

  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { text } = await fleet().page('/openapi.json', { as: null });
    const { valid, errors } = await validator.validate(JSON.parse(text));
    assert.ok(valid, JSON.stringify(errors, null, 1));
    assert.equal(validator.version, '3.1');
    assert.equal((await validator.validate({ ...JSON.parse(text), paths: [] })).valid, false);
  });
});

describe('the document', () => {
  const all = operations();

  test('has a name of its own for every call, and a summary, and says for whom it is', () => {
    const names = all.map(({ operation }) => operation.operationId);
    assert.ok(names.length > 15);
    assert.equal(new Set(names).size, names.length);
    for (const { path, operation } of all) {
      assert.ok(operation.summary.length > 5, path);
      // What Twilio calls is signed, and has no token.
      const byToken = path.startsWith('/api/') && !path.startsWith('/api/v1/inbound/twilio/');
      if (byToken) assert.match(operation.description, /For (Admin|an alert source)/, path);
      assert.equal(operation.security.length > 0, byToken, path);
    }
  });

  test('describes what stands in a path, each with an example', () => {
    for (const { path, operation } of all) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = (operation.parameters ?? []).filter((one) => one.in === 'path');
      assert.deepEqual(
        described.map(({ name }) => name),
        named,
        path,
      );
      for (const { schema, example } of described) {
        assert.ok(example !== undefined, path);
        assert.deepEqual(wrongWith(example, schema, 'sent'), [], path);
      }
    }
  });

  test('has examples for every body, and each of them is as its schema says', () => {
    let seen = 0;
    const check = (content: Content | undefined, direction: Direction, where: string) => {
      for (const [media, { schema, examples = {} }] of Object.entries(content ?? {})) {
        assert.ok(Object.keys(examples).length > 0, `${where} ${media} has an example`);
        for (const [name, { value }] of Object.entries(examples)) {
          const given =
            media === 'application/x-www-form-urlencoded'
              ? Object.fromEntries(new URLSearchParams(String(value)))
              : value;
          assert.deepEqual(wrongWith(given, schema, direction), [], `${where} ${media} ${name}`);
          if (media === 'application/problem+json') assert.ok(name in CODES, `${where} ${name}`);
          seen += 1;
        }
      }
    };
    for (const described of all) {
      const { method, path, operation } = described;
      check(operation.requestBody?.content, 'sent', `${method} ${path}`);
      for (const status of Object.keys(operation.responses)) {
        const response = responseOf(described, Number(status));
        assert.ok(response, `${method} ${path} ${status}`);
        check(response.content, 'answered', `${method} ${path} ${status}`);
      }
    }
    assert.ok(seen > 100, `${seen} examples`);
  });

  test('tells of every refusal that a call can meet', () => {
    for (const { method, path, operation } of all.filter(({ operation }) => operation.security.length > 0)) {
      const takesBody = operation.requestBody !== undefined;
      const takesKey = operation.parameters?.some(({ name }) => name === 'Idempotency-Key') ?? false;
      const wanted = [
        ...[401, 403, 429, 500, 503],
        ...(takesBody ? [413, 415, 422] : []),
        ...(operation.parameters === undefined ? [] : [422]),
        ...(takesKey ? [409] : []),
        // A level and a type of alert need not be known.
        ...(path.includes('{') && method !== 'put' && !path.includes('{level}') ? [404] : []),
      ];
      const statuses = Object.keys(operation.responses).map(Number);
      assert.deepEqual(
        wanted.filter((status) => !statuses.includes(status)),
        [],
        `${method} ${path}`,
      );
    }
  });
});

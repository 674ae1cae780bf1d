import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/db/database.ts';
import { migrateUp } from '../../src/db/migrate.ts';
import { administer } from './database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    testDatabaseUrl: string;
    templateDir: string;
  }
}

/** Migrates once; every test database is a copy. Opening PGlite anew takes seconds, copying it a tenth of one. */
export default async function setup(project: TestProject): Promise<() => void> {
  const url = process.env['TEST_DATABASE_URL'] ?? '';
  const dir = mkdtempSync(join(tmpdir(), 'llm-incident-template-'));
  if (url !== '') await prepareTemplate(url);
  const databaseUrl =
    url === '' ? undefined : Object.assign(new URL(url), { pathname: '/llm_incident_template' });
  const opened = await openDatabase({ databaseUrl: databaseUrl?.toString(), dataDir: dir });
  await migrateUp(opened.db);
  await opened.close();
  project.provide('testDatabaseUrl', url);
  project.provide('templateDir', join(dir, 'postgres'));
  console.log(`database under test: ${url === '' ? 'embedded Postgres' : 'TEST_DATABASE_URL'}`);
  return () => rmSync(dir, { recursive: true, force: true });
}

async function prepareTemplate(url: string): Promise<void> {
  await administer(url, 'drop database if exists llm_incident_template with (force)');
  await administer(url, 'create database llm_incident_template');
}

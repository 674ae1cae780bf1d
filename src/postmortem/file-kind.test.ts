import { expect, test } from 'vitest';
import { fileKind } from './file-kind.ts';

const of = (head: string, encoding: BufferEncoding = 'latin1') => fileKind(Buffer.from(head, encoding));

test('what a file is, is told by its first bytes', () => {
  expect(of('\x89PNG\r\n\x1a\n....')).toEqual({ extension: 'png', isPicture: true });
  expect(of('\xff\xd8\xff\xe0....')).toEqual({ extension: 'jpg', isPicture: true });
  expect(of('GIF89a...')).toEqual({ extension: 'gif', isPicture: true });
  expect(of('RIFF\x10\x00\x00\x00WEBPVP8 ')).toEqual({ extension: 'webp', isPicture: true });
  expect(of('%PDF-1.7\n\x80')).toEqual({ extension: 'pdf', isPicture: false });
  expect(of('14:02 Zeit überschritten\n\x1b[31mrot\x1b[0m', 'utf8')).toEqual({
    extension: 'txt',
    isPicture: false,
  });
});

test('programs, archives, pages, SVG and nothing at all are not kept', () => {
  for (const head of ['MZ\x90\x00', 'PK\x03\x04', '\x7fELF', 'RIFF\x10\x00\x00\x00WAVE', '', '\xff\xfe\x00'])
    expect(of(head)).toBeNull();
  for (const page of ['<!DOCTYPE html>', ' <html>', '<?xml version="1.0"?><svg>', '<!-- x --><svg onload=1>'])
    expect(of(page)).toBeNull();
});

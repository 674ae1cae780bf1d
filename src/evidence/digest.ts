import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * sha256 in hex over canonical JSON (RFC 8785): the same for the same content, however the database orders
 * keys.
 */
export function digestOf(content: unknown): string {
  return sha256Of(canonicalize(content) ?? '');
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

// What the reference's type declarations say of a method's parameters: their names, and whether they are positional.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const folder = (name) => dirname(require.resolve(name)).replace(/\/dist\/?.*$/, '/dist');
const PG = folder('@mastra/pg');
const CORE = folder('@mastra/core');
const kebab = (domain) => domain.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

// A class's own declarations come before those that it inherits.
function files(domain) {
  if (domain === 'vectors') return [join(PG, 'vector/index.d.ts')];
  if (domain === 'storage') return [join(PG, 'storage/index.d.ts'), join(CORE, 'storage/base.d.ts')];
  const own = (base) => {
    const directory = join(base, 'storage/domains', kebab(domain));
    return existsSync(directory) ? readdirSync(directory, { recursive: true }).filter((name) => /(index|base)\.d\.ts$/.test(name)).sort().map((name) => join(directory, name)) : [];
  };
  return [...own(PG), ...own(CORE), ...['versioned', 'base'].map((name) => join(CORE, `storage/domains/${name}.d.ts`))];
}

// The parameters' texts, split at the commas outside of brackets.
function split(text) {
  const parts = [''];
  let depth = 0;
  for (const [at, c] of [...text].entries()) {
    if ('({[<'.includes(c)) depth++;
    if (')}]'.includes(c) || (c === '>' && text[at - 1] !== '=')) depth--;
    if (c === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

function parametersIn(source, method) {
  const found = new RegExp(`^    (?:abstract )?${method}(?:<[^(]*>)?\\(`, 'm').exec(source);
  if (!found) return undefined;
  let end = found.index + found[0].length;
  for (let depth = 1; depth > 0; end++) depth += source[end] === '(' ? 1 : source[end] === ')' ? -1 : 0;
  return split(source.slice(found.index + found[0].length, end - 1).replace(/\/\*[^]*?\*\//g, '')).map((parameter) => {
    const [, name, type] = /^(\{[^]*?\}|\w+)\??:\s*([^]*)$/.exec(parameter);
    return { name: name.replace(/^_/, ''), type };
  });
}

const isObject = ({ type }) => /^(\{|[A-Z]\w*(<[^]*>)?$|[A-Z]\w*\['\w+'\]$)/.test(type);

// {parameters, positional} of a command's method, undefined if the reference declares none.
export function declared(command) {
  const [domain, method] = command.split('.');
  for (const file of files(domain)) {
    const parameters = parametersIn(readFileSync(file, 'utf8'), method);
    if (parameters) return { parameters, positional: parameters.length > 1 || (parameters.length === 1 && !isObject(parameters[0])) };
  }
  return undefined;
}

// What the reference returns where a reply has no value: null, or a property that is not there (or undefined).
// A reply's schema says it with the attribute "absent" of each nullable field.

// Calls see(record, field, kind) for each nullable field of the schema that the result leaves empty; kind: 'null' or 'undefined'.
export function eachAbsent(schema, result, see) {
  const walk = (value, source, namespace) => {
    const type = schema.resolve(source, namespace);
    if (value === undefined || value === null) return;
    if (type.type === 'union') walk(value, type.branches.find((branch) => branch !== 'null'), namespace);
    else if (type.type === 'array') for (const item of value) walk(item, type.items, namespace);
    else if (type.type === 'map') for (const item of value instanceof Map ? value.values() : Object.values(value)) walk(item, type.values, namespace);
    else if (type.type === 'record') for (const field of type.fields) visit(value[field.name], field, type);
  };
  const visit = (value, field, record) => {
    if (Array.isArray(field.type) && (value === undefined || value === null)) see(record, field, value === null ? 'null' : 'undefined');
    else walk(value, field.type, record.namespace);
  };
  walk({ result }, schema.source, '');
}

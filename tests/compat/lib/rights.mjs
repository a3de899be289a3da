// Kafka rights: a worker that logs in to the stack's SASL listener, and ACLs that forbid it something.

import kafkajs from 'kafkajs';
import { withAdmin } from './harness.mjs';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

// The environment of a worker, or of another command, that logs in as this user: worker or guest
// (compose/server.properties.in).
export const loginAs = (user) => ({ STOWAGE_KAFKA_BOOTSTRAP_SERVERS: process.env.STACK_KAFKA_SASL_SERVERS,
  STOWAGE_KAFKA_PROPERTIES: `security.protocol=SASL_PLAINTEXT,sasl.mechanism=PLAIN,sasl.username=${user},sasl.password=${user}-password` });

const acl = (user, { topic, group, cluster }, operation, permission) => ({
  resourceType: topic ? AclResourceTypes.TOPIC : group ? AclResourceTypes.GROUP : AclResourceTypes.CLUSTER,
  resourceName: topic ?? group ?? cluster,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: `User:${user}`,
  host: '*',
  operation: AclOperationTypes[operation],
  permissionType: AclPermissionTypes[permission],
});

// Forbids the user one operation ('WRITE', 'DESCRIBE', 'IDEMPOTENT_WRITE', ...) on a resource: {topic},
// {group}, or {cluster: 'kafka-cluster'}. Returns a function that grants it again. The other operations
// stay allowed: without an ACL that allows them, the first ACL of a resource would forbid them all.
export async function forbid(user, resource, operation) {
  const acls = [acl(user, resource, 'ALL', 'ALLOW'), acl(user, resource, operation, 'DENY')];
  await withAdmin((admin) => admin.createAcls({ acl: acls }));
  return () => withAdmin((admin) => admin.deleteAcls({ filters: acls }));
}

// Forbids the user to write idempotently: on the cluster, and, because the right to write to any topic would
// be enough, to write to all topics. Everybody else keeps all rights. Returns a function that grants it again.
export async function forbidIdempotentWrites(user) {
  const acls = [acl('*', { topic: '*' }, 'ALL', 'ALLOW'), acl(user, { topic: '*' }, 'WRITE', 'DENY'),
    acl('*', { cluster: 'kafka-cluster' }, 'ALL', 'ALLOW'), acl(user, { cluster: 'kafka-cluster' }, 'IDEMPOTENT_WRITE', 'DENY')];
  await withAdmin((admin) => admin.createAcls({ acl: acls }));
  return () => withAdmin((admin) => admin.deleteAcls({ filters: acls }));
}

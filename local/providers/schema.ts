/**
 * The package schema that the engine asks for when `pulumi import` writes the program's code: only as much of
 * it as names the resources and their inputs (https://www.pulumi.com/docs/iac/packages-and-automation/pulumi-packages/schema/).
 */
import type { Provider } from "./framework.ts";
import type { InputSchema } from "./properties.ts";

interface TypeSpec {
  type?: string;
  $ref?: string;
  items?: TypeSpec;
  additionalProperties?: TypeSpec;
}

const ANY: TypeSpec = { $ref: "pulumi.json#/Any" };

function typeSpec(schema: InputSchema | undefined): TypeSpec {
  switch (schema?.type) {
    case "string":
    case "number":
    case "integer":
    case "boolean":
      return { type: schema.type };
    case "list":
      return { type: "array", items: typeSpec(schema.items) };
    case "map":
      return { type: "object", additionalProperties: typeSpec(schema.items) };
    default:
      return ANY;
  }
}

/** JSON text of the schema. */
export function schemaText(provider: Provider): string {
  const resources = Object.entries(provider.resources).map(([token, definition]) => {
    const inputProperties = Object.fromEntries(
      Object.entries(definition.inputs).map(([name, schema]) => [name, typeSpec(schema)]),
    );
    const outputs = Object.fromEntries(Object.keys(definition.outputs ?? {}).map((name) => [name, ANY]));
    return [
      token,
      {
        inputProperties,
        requiredInputs: Object.keys(definition.inputs).filter((name) => definition.inputs[name]?.required),
        properties: { ...inputProperties, ...outputs },
      },
    ];
  });
  return JSON.stringify({
    name: provider.name,
    version: provider.version,
    resources: Object.fromEntries(resources),
    // `aws:ec2/eip:Eip` is module `ec2` in the SDKs.
    meta: { moduleFormat: "(.*)(?:/[^/]*)" },
  });
}

/** What the client uses of htm. */

declare const htm: {
  bind<Node>(
    make: (type: unknown, properties: object | null, ...children: unknown[]) => Node,
  ): (strings: TemplateStringsArray, ...values: unknown[]) => Node;
};
export default htm;

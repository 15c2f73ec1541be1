declare module "redis-parser" {
  interface Handlers {
    returnReply(reply: unknown): void;
    returnError(error: Error): void;
    returnFatalError(error: Error): void;
  }
  class Parser {
    constructor(handlers: Handlers);
    execute(chunk: Buffer): void;
  }
  export = Parser;
}

// The typed flavour of commander is types only: the package that runs is commander itself.
declare module "commander" {
  export * from "@commander-js/extra-typings";
}

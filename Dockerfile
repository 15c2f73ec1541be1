# aec serve in a container: built from a checkout, runs as nobody in particular, on a read-only file system.
FROM node:22-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /aec
COPY --from=build /src/package.json ./
COPY --from=build /src/bin bin
COPY --from=build /src/dist dist
COPY --from=build /src/node_modules node_modules
USER 10001:10001
EXPOSE 7010 7011
ENTRYPOINT ["node", "/aec/bin/aec.js"]
CMD ["serve", "--listen", "0.0.0.0:7010", "--admin-listen", "0.0.0.0:7011"]

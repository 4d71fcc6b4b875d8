# The image of a production: compiled in one stage, run by nobody special in the next.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json rolldown.config.js ./
RUN npm ci --ignore-scripts
COPY src src
COPY scripts scripts
COPY bench bench
RUN npm run build

FROM node:24-slim
WORKDIR /app
# Without scripts, so that `npm run keys:generate` runs here without its build step.
ENV NODE_ENV=production HOST=0.0.0.0 DATABASE_URL=file:/data/signet.db KEYS_DIR=/keys npm_config_ignore_scripts=true
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force && mkdir /data /keys && chown node:node /data /keys && chmod 700 /data /keys
COPY --from=build /app/dist dist
# By number, so that Kubernetes can see that it is not root: the image's user node.
USER 1000:1000
VOLUME ["/data", "/keys"]
EXPOSE 3000
# By the settings, so that it holds on any PORT and under TLS.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["node", "dist/signet/check-health.js"]
CMD ["node", "dist/signet/server.js"]

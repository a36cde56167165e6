import "i18next";

import type accounts from "./en/accounts.json";
import type analytics from "./en/analytics.json";
import type alerts from "./en/alerts.json";
import type agents from "./en/agents.json";
import type channels from "./en/channels.json";
import type common from "./en/common.json";
import type config from "./en/config.json";
import type login from "./en/login.json";
import type overview from "./en/overview.json";
import type requests from "./en/requests.json";
import type planes from "./en/planes.json";
import type settings from "./en/settings.json";
import type tenants from "./en/tenants.json";
import type routing from "./en/routing.json";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: {
      accounts: typeof accounts;
      analytics: typeof analytics;
      alerts: typeof alerts;
      agents: typeof agents;
      channels: typeof channels;
      common: typeof common;
      config: typeof config;
      login: typeof login;
      overview: typeof overview;
      requests: typeof requests;
      planes: typeof planes;
      settings: typeof settings;
      tenants: typeof tenants;
      routing: typeof routing;
    };
  }
}

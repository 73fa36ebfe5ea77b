// How the OpenAPI document tells of the site in a path, wherever there is one.
import { ApiParam } from '@nestjs/swagger';

export const ApiSite = () =>
  ApiParam({
    name: 'site',
    type: String,
    description: "The site's id, domain or an alias.",
    example: 'shop.example',
  });

export const SITE_UNKNOWN = "There is no such site, or it is out of the key's reach.";

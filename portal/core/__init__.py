"""What every module stands on and none owns: database, tenancy, access, forms, errors, texts."""

-- Records a replay meets again are looked up by their place.
create index parked_audit_place on parked_audit (topic, partition, "offset")
  where source = 'record' and action in ('DROPPED', 'EDITED');

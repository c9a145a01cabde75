-- Every works order on which a contractor has something to do covers a defect.
SELECT works_order.reference || ' is ' || works_order.state
FROM works_order
WHERE works_order.ended_at IS NULL
  AND works_order.state IN ('issued', 'accepted', 'scheduled', 'on_site', 'made_safe', 'remedial', 'aborted')
  AND NOT EXISTS (
      SELECT FROM works_order_defect AS covered
      WHERE covered.works_order_id = works_order.id AND covered.ended_at IS NULL)

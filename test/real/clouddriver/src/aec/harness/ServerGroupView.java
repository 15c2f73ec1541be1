package aec.harness;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.netflix.frigga.Names;
import com.netflix.spinnaker.clouddriver.model.Instance;
import com.netflix.spinnaker.clouddriver.model.ServerGroup;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.beans.BeanWrapper;
import org.springframework.beans.PropertyAccessorFactory;

/** The summary of a server group as `GET /serverGroups?ids=` shows it. Absent values are left out. */
final class ServerGroupView {
  private static final List<String> PROVIDER_SPECIFIC =
      List.of("vpcId", "buildInfo", "providerMetadata", "targetGroups");

  private static final TypeReference<List<Map<String, Object>>> HEALTH = new TypeReference<>() {};

  private ServerGroupView() {}

  @SuppressWarnings("deprecation") // Clouddriver itself fills the view from these getters.
  static Map<String, Object> of(ServerGroup group, String account, ObjectMapper mapper) {
    Map<String, Object> view = new LinkedHashMap<>();
    put(view, "name", group.getName());
    put(view, "account", account);
    put(view, "region", group.getRegion());
    put(view, "cluster", group.getMoniker().getCluster());
    put(view, "type", group.getType());
    put(view, "cloudProvider", group.getCloudProvider());
    put(view, "application", Names.parseName(group.getName()).getApp());
    put(view, "isDisabled", group.isDisabled());
    put(view, "moniker", group.getMoniker());
    put(view, "createdTime", group.getCreatedTime());
    put(view, "capacity", group.getCapacity());
    put(view, "loadBalancers", group.getLoadBalancers());
    put(view, "securityGroups", group.getSecurityGroups());
    put(view, "instanceCounts", group.getInstanceCounts());
    if (group.getLaunchConfig() != null) {
      put(view, "instanceType", group.getLaunchConfig().get("instanceType"));
    }
    if (group.getTags() != null && !group.getTags().isEmpty()) {
      put(view, "tags", group.getTags());
    }
    BeanWrapper bean = PropertyAccessorFactory.forBeanPropertyAccess(group);
    for (String property : PROVIDER_SPECIFIC) {
      if (bean.isReadableProperty(property)) {
        put(view, property, bean.getPropertyValue(property));
      }
    }
    view.put("instances", instances(group.getInstances(), mapper));
    return view;
  }

  private static List<Map<String, Object>> instances(
      Collection<? extends Instance> instances, ObjectMapper mapper) {
    List<Map<String, Object>> views = new ArrayList<>();
    if (instances != null) {
      for (Instance instance : instances) {
        Map<String, Object> view = new LinkedHashMap<>();
        put(view, "id", instance.getName());
        put(view, "name", instance.getHumanReadableName());
        put(view, "health", health(mapper.convertValue(instance.getHealth(), HEALTH)));
        put(view, "healthState", String.valueOf(instance.getHealthState()));
        put(view, "launchTime", instance.getLaunchTime());
        put(view, "availabilityZone", instance.getZone());
        views.add(view);
      }
    }
    return views;
  }

  private static List<Map<String, Object>> health(List<Map<String, Object>> metrics) {
    List<Map<String, Object>> views = new ArrayList<>();
    for (Map<String, Object> metric : metrics) {
      Map<String, Object> view = new LinkedHashMap<>();
      for (String key : List.of("type", "state", "status")) {
        put(view, key, metric.get(key));
      }
      put(view, "loadBalancers", states(metric.get("loadBalancers"), "loadBalancerName"));
      put(view, "targetGroups", states(metric.get("targetGroups"), "targetGroupName"));
      views.add(view);
    }
    return views;
  }

  private static List<Map<String, Object>> states(Object members, String nameKey) {
    if (!(members instanceof List<?> list)) {
      return null;
    }
    List<Map<String, Object>> views = new ArrayList<>();
    for (Object member : list) {
      Map<?, ?> from = (Map<?, ?>) member;
      Map<String, Object> view = new LinkedHashMap<>();
      put(view, "name", from.get(nameKey));
      for (String key : List.of("state", "description", "healthState")) {
        put(view, key, from.get(key));
      }
      views.add(view);
    }
    return views;
  }

  private static void put(Map<String, Object> view, String key, Object value) {
    if (value != null) {
      view.put(key, value);
    }
  }
}

package aec.harness;

import static java.util.Comparator.comparing;
import static java.util.Comparator.comparingLong;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toCollection;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.netflix.spinnaker.cats.cache.AgentIntrospection;
import com.netflix.spinnaker.cats.cache.CacheIntrospectionStore;
import com.netflix.spinnaker.clouddriver.cache.OnDemandCacheResult;
import com.netflix.spinnaker.clouddriver.cache.OnDemandCacheStatus;
import com.netflix.spinnaker.clouddriver.cache.OnDemandCacheUpdater;
import com.netflix.spinnaker.clouddriver.cache.OnDemandType;
import com.netflix.spinnaker.clouddriver.exceptions.CloudProviderNotFoundException;
import com.netflix.spinnaker.clouddriver.model.ClusterProvider;
import com.netflix.spinnaker.clouddriver.model.LoadBalancerProvider;
import com.netflix.spinnaker.clouddriver.model.SecurityGroup;
import com.netflix.spinnaker.clouddriver.model.SecurityGroupProvider;
import com.netflix.spinnaker.clouddriver.model.SecurityGroupSummary;
import com.netflix.spinnaker.clouddriver.model.ServerGroup;
import com.netflix.spinnaker.clouddriver.search.SearchProvider;
import com.netflix.spinnaker.clouddriver.search.SearchResultSet;
import com.netflix.spinnaker.clouddriver.security.AccountCredentials;
import com.netflix.spinnaker.clouddriver.security.AccountCredentialsProvider;
import com.netflix.spinnaker.kork.web.exceptions.NotFoundException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** The HTTP routes that `aec` uses, each a thin call of the bean that answers it in Clouddriver. */
@RestController
public class CacheApi {
  private static final Set<String> SHORT_ACCOUNT =
      Set.of(
          "name",
          "environment",
          "accountType",
          "cloudProvider",
          "requiredGroupMembership",
          "permissions",
          "accountId");
  private static final Set<String> NOT_A_FILTER = Set.of("q", "type", "platform", "pageSize", "page");

  private final List<OnDemandCacheUpdater> updaters;
  private final AccountCredentialsProvider accounts;
  private final List<ClusterProvider<?>> clusters;
  private final List<SecurityGroupProvider<?>> securityGroups;
  private final List<LoadBalancerProvider<?>> loadBalancers;
  private final List<SearchProvider> searches;
  private final ObjectMapper mapper;

  public CacheApi(
      List<OnDemandCacheUpdater> updaters,
      AccountCredentialsProvider accounts,
      List<ClusterProvider<?>> clusters,
      List<SecurityGroupProvider<?>> securityGroups,
      List<LoadBalancerProvider<?>> loadBalancers,
      List<SearchProvider> searches,
      ObjectMapper mapper) {
    this.updaters = updaters;
    this.accounts = accounts;
    this.clusters = clusters;
    this.securityGroups = securityGroups;
    this.loadBalancers = loadBalancers;
    this.searches = searches;
    this.mapper = mapper;
  }

  // On-demand cache

  @PostMapping("/cache/{provider}/{type}")
  ResponseEntity<Map<String, Object>> refresh(
      @PathVariable String provider,
      @PathVariable String type,
      @RequestBody Map<String, Object> body) {
    OnDemandType kind = OnDemandType.fromString(type);
    OnDemandCacheResult result = null;
    for (OnDemandCacheUpdater updater : updaters) {
      if (updater.handles(kind, provider)) {
        result = updater.handle(kind, provider, body);
        break;
      }
    }
    boolean pending = result != null && result.getStatus() == OnDemandCacheStatus.PENDING;
    Object ids = result == null ? null : result.getCachedIdentifiersByType();
    return ResponseEntity.status(pending ? HttpStatus.ACCEPTED : HttpStatus.OK)
        .body(Map.of("cachedIdentifiersByType", ids == null ? Map.of() : ids));
  }

  @GetMapping("/cache/{provider}/{type}")
  List<Map<String, Object>> pending(
      @PathVariable String provider,
      @PathVariable String type,
      @RequestParam(required = false) String id) {
    OnDemandType kind = OnDemandType.fromString(type);
    List<Map<String, Object>> found = new ArrayList<>();
    for (OnDemandCacheUpdater updater : updaters) {
      if (!updater.handles(kind, provider)) {
        continue;
      }
      if (id == null || id.isEmpty()) {
        found.addAll(updater.pendingOnDemandRequests(kind, provider));
      } else {
        Map<String, Object> one = updater.pendingOnDemandRequest(kind, provider, id);
        if (one != null && !one.isEmpty()) {
          found.add(one);
        }
      }
    }
    return found;
  }

  @GetMapping("/cache/introspection")
  List<AgentIntrospection> introspection() {
    return CacheIntrospectionStore.getStore().listAgentIntrospections().stream()
        .sorted(comparingLong(AgentIntrospection::getLastExecutionStartMs).reversed())
        .toList();
  }

  // Accounts

  @GetMapping("/credentials")
  List<Map<String, Object>> accounts(@RequestParam(defaultValue = "false") boolean expand) {
    List<Map<String, Object>> all = new ArrayList<>();
    accounts.getAll().forEach(account -> all.add(view(account, expand)));
    return all;
  }

  @GetMapping("/credentials/{name}")
  Map<String, Object> account(@PathVariable String name) {
    AccountCredentials<?> account = accounts.getCredentials(name);
    if (account == null) {
      throw new NotFoundException("Account does not exist (name: " + name + ")");
    }
    return view(account, true);
  }

  private Map<String, Object> view(AccountCredentials<?> account, boolean expand) {
    Map<String, Object> view =
        mapper.convertValue(account, new TypeReference<Map<String, Object>>() {});
    if (!expand) {
      view.keySet().retainAll(SHORT_ACCOUNT);
    }
    view.put("type", account.getCloudProvider());
    // Both lists that Clouddriver compares with are empty unless configured.
    view.put("challengeDestructiveActions", false);
    view.put("primaryAccount", false);
    return view;
  }

  // Server groups

  @GetMapping("/serverGroups/{account}/{region}/{name:.+}")
  ServerGroup serverGroup(
      @PathVariable String account,
      @PathVariable String region,
      @PathVariable String name,
      @RequestParam(defaultValue = "true") boolean includeDetails) {
    ServerGroup found = find(account, region, name, includeDetails);
    if (found == null) {
      throw new NotFoundException(
          String.format(
              "Server group not found (account: %s, region: %s, name: %s)", account, region, name));
    }
    return found;
  }

  @GetMapping("/serverGroups")
  List<Map<String, Object>> serverGroups(@RequestParam(required = false) List<String> ids) {
    if (ids == null || ids.isEmpty()) {
      throw new IllegalArgumentException(
          "Provide either 'applications' or 'ids' parameter (but not both)");
    }
    List<String> wrong = ids.stream().filter(id -> id.split(":").length != 3).toList();
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException(
          "Expected ids in the format <account>:<region>:<name> but got invalid ids: "
              + String.join(", ", wrong));
    }
    List<Map<String, Object>> views = new ArrayList<>();
    for (String id : ids) {
      String[] part = id.split(":");
      ServerGroup found = find(part[0], part[1], part[2], true);
      if (found != null) {
        views.add(ServerGroupView.of(found, part[0], mapper));
      }
    }
    return views;
  }

  private ServerGroup find(String account, String region, String name, boolean details) {
    return clusters.stream()
        .map(provider -> provider.getServerGroup(account, region, name, details))
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  // Security groups

  @GetMapping("/securityGroups/{account}/{provider}")
  Map<String, Set<SecurityGroupSummary>> securityGroups(
      @PathVariable String account, @PathVariable String provider) {
    return of(provider)
        .flatMap(groups -> groups.getAllByAccount(false, account).stream())
        .collect(
            groupingBy(
                SecurityGroup::getRegion,
                TreeMap::new,
                mapping(
                    SecurityGroup::getSummary, toCollection(CacheApi::byName))));
  }

  @GetMapping(value = "/securityGroups/{account}/{provider}", params = "region")
  Set<SecurityGroupSummary> securityGroupsOfRegion(
      @PathVariable String account, @PathVariable String provider, @RequestParam String region) {
    return of(provider)
        .flatMap(groups -> groups.getAllByAccountAndRegion(false, account, region).stream())
        .map(SecurityGroup::getSummary)
        .collect(toCollection(CacheApi::byName));
  }

  @GetMapping("/securityGroups/{account}/{provider}/{region}/{nameOrId:.+}")
  SecurityGroup securityGroup(
      @PathVariable String account,
      @PathVariable String provider,
      @PathVariable String region,
      @PathVariable String nameOrId,
      @RequestParam(defaultValue = "*") String vpcId,
      @RequestParam(defaultValue = "false") boolean getById) {
    List<SecurityGroup> found = new ArrayList<>();
    of(provider)
        .map(
            groups ->
                getById
                    ? groups.getById(account, region, nameOrId, vpcId)
                    : groups.get(account, region, nameOrId, vpcId))
        .filter(Objects::nonNull)
        .forEach(found::add);
    if (found.size() != 1) {
      throw new NotFoundException("Security group '" + nameOrId + "' does not exist");
    }
    return found.get(0);
  }

  private Stream<SecurityGroupProvider<?>> of(String provider) {
    return securityGroups.stream().filter(groups -> provider.equals(groups.getCloudProvider()));
  }

  private static Set<SecurityGroupSummary> byName() {
    return new TreeSet<>(
        comparing((SecurityGroupSummary group) -> group.getName().toLowerCase())
            .thenComparing(SecurityGroupSummary::getId));
  }

  // Load balancers

  @GetMapping("/{provider}/loadBalancers")
  List<Object> loadBalancers(@PathVariable String provider) {
    List<Object> all = new ArrayList<>();
    for (LoadBalancerProvider<?> balancers : balancersOf(provider)) {
      addAll(all, balancers.list());
    }
    return all;
  }

  @GetMapping("/{provider}/loadBalancers/{account}/{region}/{name:.+}")
  List<Object> loadBalancer(
      @PathVariable String provider,
      @PathVariable String account,
      @PathVariable String region,
      @PathVariable String name) {
    List<Object> all = new ArrayList<>();
    for (LoadBalancerProvider<?> balancers : balancersOf(provider)) {
      addAll(all, balancers.byAccountAndRegionAndName(account, region, name));
    }
    return all;
  }

  private List<LoadBalancerProvider<?>> balancersOf(String provider) {
    List<LoadBalancerProvider<?>> found =
        loadBalancers.stream()
            .filter(balancers -> provider.equals(balancers.getCloudProvider()))
            .toList();
    if (found.isEmpty()) {
      throw new CloudProviderNotFoundException("No cloud provider named " + provider + " found");
    }
    return found;
  }

  private static <T> void addAll(List<T> all, Collection<? extends T> some) {
    if (some != null) {
      all.addAll(some);
    }
  }

  // Search

  @GetMapping("/search")
  List<SearchResultSet> search(
      @RequestParam(defaultValue = "") String q,
      @RequestParam List<String> type,
      @RequestParam(required = false) String platform,
      @RequestParam(defaultValue = "10000") int pageSize,
      @RequestParam(defaultValue = "1") int page,
      @RequestParam Map<String, String> all) {
    List<SearchResultSet> sets = new ArrayList<>();
    for (SearchProvider provider : searches) {
      if (platform != null && !platform.isEmpty() && !platform.equals(provider.getPlatform())) {
        continue;
      }
      Map<String, String> filters = new HashMap<>(all);
      filters.keySet().removeAll(NOT_A_FILTER);
      provider.excludedFilters().forEach(filters::remove);
      sets.add(
          type.isEmpty()
              ? provider.search(q, page, pageSize, filters)
              : provider.search(q, type, page, pageSize, filters));
    }
    return sets.size() == 1 ? sets : List.of(merged(sets, q, page, pageSize));
  }

  private static SearchResultSet merged(
      List<SearchResultSet> sets, String q, int page, int pageSize) {
    List<Map<String, Object>> results = new ArrayList<>();
    int total = 0;
    for (SearchResultSet set : sets) {
      total += set.getTotalMatches();
      // A provider that does not know the type answers without a list.
      addAll(results, set.getResults());
    }
    return SearchResultSet.builder()
        .totalMatches(total)
        .pageNumber(page)
        .pageSize(pageSize)
        .platform("aws")
        .query(q)
        .results(results)
        .build();
  }
}
